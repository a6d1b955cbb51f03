/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Configuration files: where they are looked for, their syntax, what a broken
 * one does, and the older sasl_config_* functions. */
#include "store.h"
#include <sys/stat.h>

extern const char *sasl_config_getstring(const char *key, const char *def); /* in no header */

static const sasl_utils_t *kept;
static int keeper(const sasl_utils_t *utils, int max, int *version, sasl_auxprop_plug_t **plug,
                  const char *plugname)
{
    (void)max;
    (void)version;
    (void)plug;
    (void)plugname;
    kept = utils;
    return SASL_NOMECH;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        say("cannot write %s", path);
        return;
    }
    fputs(text, file);
    fclose(file);
}

static void ask(const char *option)
{
    const char *result = "untouched";
    unsigned len = 4242;
    int code = kept->getopt(kept->getopt_context, NULL, option, &result, &len);
    say("option %s = %d %s, %s, %u", option, code, code_name(code), str(result), len);
}

static void load(const sasl_callback_t *callbacks, const char *options)
{
    char copy[200], *each;
    int code;
    strcpy(copy, options);
    kept = NULL;
    depth++;
    code = sasl_server_init(callbacks, "oxitest");
    depth--;
    say("server_init = %d %s", code, code_name(code));
    if (code == SASL_OK) {
        sasl_auxprop_add_plugin("keeper", keeper);
        for (each = strtok(copy, " "); each != NULL; each = strtok(NULL, " "))
            ask(each);
    }
    sasl_done();
}

static void syntax(void)
{
    static const char *files[] = {
        "key: value\n", "key:value\n", "key:   value with blanks  \t\n", "KEY: value\n",
        "Key_1-x: value\n", "  key: value\n", "\tkey: value\n", "key : value\n", "key\n", "key:\n",
        "key:   \n", "key: value", "# comment\nkey: value\n", "   # comment\nkey: value\n",
        "key: value # not a comment\n", "key: \"quoted\"\n", "key: one\nkey: two\n",
        "key: value\r\n", "\n\n\nkey: value\n", ": x\n", "ke.y: value\n", "ke y: value\n",
        "k\xc3\xa9y: value\n", "key: v\xc3\xa9\n", "key: a\nbroken\nlater: b\n",
        "key: line\\\ncontinued: yes\n", "=\n", "key: a:b:c\n", "\xef\xbb\xbfkey: value\n",
        "key: value\n\f\n", "key: value\n \n", "key:\tvalue\n", "", "#", " ", "key: a\n:\n",
        "key: \xa0x\n", NULL};
    int i;
    for (i = 0; files[i] != NULL; i++) {
        put("conf/oxitest.conf", files[i]);
        say("-- file %s", str(files[i]));
        load(NULL, "key later key_1-x ke continued");
    }
}

static void long_lines(void)
{
    static const unsigned sizes[] = {1000, 4085, 4089, 4090, 4091, 4092, 4095, 4096, 5000, 8200};
    unsigned i;
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        FILE *file = fopen("conf/oxitest.conf", "w");
        unsigned j;
        fputs("key: ", file);
        for (j = 0; j < sizes[i]; j++)
            fputc('v', file);
        fputs("\nlater: b\n", file);
        fclose(file);
        say("-- value of %u bytes", sizes[i]);
        load(NULL, "key later");
    }
}

static void places(void)
{
    mkdir("one", 0755);
    mkdir("two", 0755);
    put("conf/oxitest.conf", "key: conf\n");
    put("one/oxitest.conf", "key: one\n");
    put("two/oxitest.conf", "key: two\nonly: two\n");
    say("-- environment");
    load(NULL, "key only");
    setenv("SASL_CONF_PATH", "./one", 1);
    load(NULL, "key only");
    setenv("SASL_CONF_PATH", "./one:./two", 1);
    load(NULL, "key only");
    setenv("SASL_CONF_PATH", "./none:./two", 1);
    load(NULL, "key only");
    setenv("SASL_CONF_PATH", "./two:./one", 1);
    load(NULL, "key only");
    setenv("SASL_CONF_PATH", "", 1);
    load(NULL, "key only");
    setenv("SASL_CONF_PATH", "./none", 1);
    load(NULL, "key only");
    setenv("SASL_CONF_PATH", "./one/", 1);
    load(NULL, "key only");
    setenv("SASL_CONF_PATH", "./one:", 1);
    load(NULL, "key only");
    setenv("SASL_CONF_PATH", ":./one", 1);
    load(NULL, "key only");
    setenv("SASL_CONF_PATH", "./one=./two", 1);
    load(NULL, "key only");
}

static void set_path(void)
{
    static char one[] = "./one";
    mkdir("one", 0755);
    mkdir("two", 0755);
    put("conf/oxitest.conf", "key: conf\n");
    put("one/oxitest.conf", "key: one\n");
    put("two/oxitest.conf", "key: two\n");
    CALL(sasl_set_path(SASL_PATH_TYPE_CONFIG, one));
    load(NULL, "key");
}

static void set_path_order(void)
{
    static char one[] = "./one", two[] = "./two", none[] = "./none";
    put("conf/oxitest.conf", "key: conf\n");
    CALL(sasl_set_path(SASL_PATH_TYPE_CONFIG, one));
    CALL(sasl_set_path(SASL_PATH_TYPE_CONFIG, two));
    CALL(sasl_set_path(7, one));
    CALL(sasl_set_path(-1, one));
    CALL(sasl_set_path(SASL_PATH_TYPE_PLUGIN, none));
    load(NULL, "key");
}

static char given_path[] = "./two";
static int path_code;
static int getconfpath(void *context, char **path)
{
    say("<getconfpath context %s -> %s>", str(context), code_name(path_code));
    *path = given_path;
    return path_code;
}

static int getpath(void *context, const char **path)
{
    say("<getpath context %s>", str(context));
    *path = "./none";
    return SASL_OK;
}

static int verify_code, verify_type = -1;
static int verifyfile(void *context, const char *file, sasl_verify_type_t type)
{
    int mine = verify_type == -1 || verify_type == (int)type;
    (void)context;
    say("<verifyfile %s type %d -> %s>", str(file), (int)type,
        code_name(mine ? verify_code : SASL_OK));
    return mine ? verify_code : SASL_OK;
}

static const sasl_callback_t paths[] = {{SASL_CB_GETCONFPATH, PROC(getconfpath), (void *)"ctx"},
                                        {SASL_CB_GETPATH, PROC(getpath), (void *)"ctx"},
                                        {SASL_CB_LIST_END, NULL, NULL}};
static const sasl_callback_t verify[] = {{SASL_CB_VERIFYFILE, PROC(verifyfile), NULL},
                                         {SASL_CB_GETPATH, PROC(getpath), (void *)"ctx"},
                                         {SASL_CB_LIST_END, NULL, NULL}};

static void callbacks(void)
{
    mkdir("two", 0755);
    put("conf/oxitest.conf", "key: conf\n");
    put("two/oxitest.conf", "key: two\n");
    load(paths, "key");
    load(paths, "key");
    path_code = SASL_FAIL;
    load(paths, "key");
    path_code = SASL_OK;
}

static void verified(void)
{
    static const int codes[] = {SASL_OK, SASL_CONTINUE, SASL_FAIL, SASL_BADPARAM};
    unsigned i;
    mkdir("one", 0755);
    mkdir("two", 0755);
    put("one/oxitest.conf", "key: one\n");
    put("two/oxitest.conf", "key: two\n");
    setenv("SASL_CONF_PATH", "./none:./one:./two", 1);
    for (i = 0; i < 4; i++) {
        verify_code = codes[i];
        say("-- verify says %s", code_name(codes[i]));
        load(verify, "key");
    }
    say("-- no file at all");
    setenv("SASL_CONF_PATH", "./none", 1);
    verify_code = SASL_FAIL;
    load(verify, "key");
}

static void odd_files(void)
{
    mkdir("conf/oxitest.conf", 0755);
    say("-- a folder");
    load(NULL, "key");
    rmdir("conf/oxitest.conf");
    say("-- a dangling link");
    if (symlink("nowhere", "conf/oxitest.conf") == 0)
        load(NULL, "key");
    unlink("conf/oxitest.conf");
    say("-- NUL bytes");
    {
        FILE *file = fopen("conf/oxitest.conf", "w");
        fwrite("key: a\0b\nlater: c\n", 1, 18, file);
        fclose(file);
    }
    load(NULL, "key later");
}

static void other_name(void)
{
    put("conf/oxitest.conf", "key: one\n");
    put("conf/other.conf", "key: other\n");
    CALL(sasl_server_init(NULL, "other"));
    sasl_auxprop_add_plugin("keeper", keeper);
    ask("key");
    CALL(sasl_server_init(NULL, "oxitest"));
    ask("key");
    sasl_done();
    sasl_done();
    CALL(sasl_server_init(NULL, NULL));
    sasl_auxprop_add_plugin("keeper", keeper);
    ask("key");
    sasl_done();
    mkdir("conf/sub", 0755);
    put("conf/sub/app.conf", "key: sub\n");
    CALL(sasl_server_init(NULL, "sub/app"));
    sasl_auxprop_add_plugin("keeper", keeper);
    ask("key");
    sasl_done();
}

static void config_functions(void)
{
    put("conf/direct.conf", "key: value\nNumber: 7\n");
    put("conf/second.conf", "key: second\nextra: x\n");
    put("conf/broken.conf", "key: value\nbroken line\nafter: x\n");
    STRING(sasl_config_getstring("key", "default"));
    CALL(sasl_config_init("./conf/absent.conf"));
    CALL(sasl_config_init("./conf/direct.conf"));
    STRING(sasl_config_getstring("key", "default"));
    STRING(sasl_config_getstring("KEY", "default"));
    STRING(sasl_config_getstring("number", NULL));
    STRING(sasl_config_getstring("absent", NULL));
    STRING(sasl_config_getstring("absent", "default"));
    STRING(sasl_config_getstring("", "default"));
    CALL(sasl_config_init("./conf/second.conf"));
    STRING(sasl_config_getstring("key", "default"));
    STRING(sasl_config_getstring("extra", "default"));
    STRING(sasl_config_getstring("number", "default"));
    DO(sasl_config_done());
    STRING(sasl_config_getstring("key", "default"));
    CALL(sasl_config_init("./conf/broken.conf"));
    STRING(sasl_config_getstring("key", "default"));
    STRING(sasl_config_getstring("after", "default"));
    DO(sasl_config_done());
    DO(sasl_config_done());
}

static void config_before_init(void)
{
    put("conf/direct.conf", "key: direct\n");
    put("conf/oxitest.conf", "other: value\n");
    CALL(sasl_config_init("./conf/direct.conf"));
    load(NULL, "key other");
    STRING(sasl_config_getstring("key", "default"));
    STRING(sasl_config_getstring("other", "default"));
    DO(sasl_config_done());
}

static void plugins_path(void)
{
    sasl_conn_t *conn = NULL;
    CALL(sasl_server_init(paths, "oxitest"));
    CALL(sasl_server_new("imap", "h", NULL, NULL, NULL, NULL, 0, &conn));
    list_mechs(conn, NULL, "", " ", "");
    sasl_dispose(&conn);
    sasl_done();
}

int main(void)
{
    SECTION(syntax);
    SECTION(long_lines);
    unlink("conf/oxitest.conf");
    SECTION(places);
    SECTION(set_path);
    SECTION(set_path_order);
    SECTION(callbacks);
    SECTION(verified);
    unlink("conf/oxitest.conf");
    SECTION(odd_files);
    SECTION(other_name);
    unlink("conf/oxitest.conf");
    SECTION(config_functions);
    SECTION(config_before_init);
    unlink("conf/oxitest.conf");
    SECTION(plugins_path);
    return 0;
}
