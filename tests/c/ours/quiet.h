/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Callbacks for programs that look at complaints: options are answered without
 * a word, and only errors, failures and warnings of the log are printed. */
#ifndef QUIET_H
#define QUIET_H

#include "../store.h"

static const option_t with_table[] = {{NULL, "auxprop_plugin", "table"}, {NULL, NULL, NULL}};
static UNUSED const option_t *options = with_table;

static UNUSED int asked(void *context, const char *plugin, const char *name, const char **result,
                        unsigned *len)
{
    int code;
    (void)context;
    hush++;
    code = cb_getopt((void *)options, plugin, name, result, len);
    hush--;
    return code;
}

static UNUSED int complaints(void *context, int level, const char *message)
{
    const char *reason = strstr(message, ".so: ");
    char path[200];
    if (level != SASL_LOG_ERR && level != SASL_LOG_FAIL && level != SASL_LOG_WARN)
        return SASL_OK;
    /* The linker's reasons are its own. */
    if (strncmp(message, "unable to dlopen ", 17) == 0 && reason != NULL) {
        snprintf(path, sizeof path, "%.*s", (int)(reason + 3 - message), message);
        message = path;
    }
    return cb_log(context, level, message);
}

static UNUSED const sasl_callback_t global[] = {{SASL_CB_GETOPT, PROC(asked), NULL},
                                                {SASL_CB_LOG, PROC(complaints), NULL},
                                                {SASL_CB_LIST_END, NULL, NULL}};

/* A PLAIN login on a connection; its callbacks stay silent. */
static UNUSED void login_on(sasl_conn_t *conn, const char *where, const char *message, unsigned size)
{
    const char *out = NULL;
    unsigned len = 0;
    int code;
    hush++;
    code = sasl_server_start(conn, "PLAIN", message, size, &out, &len);
    hush--;
    say("PLAIN %s: %d %s", where, code, code_name(code));
}

#endif
