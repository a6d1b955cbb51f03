/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Compiled twice. As a program it says which of the places that its environment
 * names the library looks at; with -DPLUGIN it is a plugin to be found there. */
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef PLUGIN

int sasl_auxprop_plug_init(const sasl_utils_t *utils, int max, int *version,
                           sasl_auxprop_plug_t **plug, const char *name)
{
    (void)utils, (void)max, (void)version, (void)plug, (void)name;
    return SASL_NOMECH;
}

#else

static const sasl_utils_t *kept;

static int keeper(const sasl_utils_t *utils, int max, int *version, sasl_auxprop_plug_t **plug,
                  const char *name)
{
    (void)max, (void)version, (void)plug, (void)name;
    kept = utils;
    return SASL_NOMECH;
}

static int is_mapped(const char *file)
{
    char line[4096];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        found |= strstr(line, file) != NULL;
    if (maps)
        fclose(maps);
    return found;
}

int main(int argc, char **argv)
{
    sasl_conn_t *conn = NULL;
    const char *value = NULL, *out;
    unsigned len;
    if (argc != 3)
        return 2;
    if (sasl_server_init(NULL, "secure") != SASL_OK ||
        sasl_server_new("imap", "h.example", NULL, NULL, NULL, NULL, 0, &conn) != SASL_OK)
        return 3;
    sasl_auxprop_add_plugin("keeper", keeper);
    if (kept == NULL || kept->getopt(kept->getopt_context, NULL, "found", &value, &len) != SASL_OK)
        value = NULL;
    /* A login opens the stores. */
    sasl_server_start(conn, "PLAIN", "\0bob\0secret", 11, &out, &len);
    printf("ids %s, file %s, plugin %s, library %s\n", getuid() == geteuid() ? "equal" : "differ",
           value ? value : "unseen", is_mapped(argv[1]) ? "loaded" : "unseen",
           is_mapped(argv[2]) ? "right" : "wrong");
    sasl_dispose(&conn);
    sasl_done();
    return 0;
}

#endif
