/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* sasl_set_alloc, sasl_set_mutex, sasl_set_path: when they count. How often an
 * allocator is called is the library's own business; whether is not. */
#include "store.h"

static unsigned mallocs, callocs, reallocs, frees;
static void *my_malloc(size_t n) { mallocs++; return malloc(n); }
static void *my_calloc(size_t n, size_t m) { callocs++; return calloc(n, m); }
static void *my_realloc(void *p, size_t n) { reallocs++; return realloc(p, n); }
static void my_free(void *p) { frees++; free(p); }

static unsigned others;
static void *other_malloc(size_t n) { others++; return malloc(n); }
static void *other_calloc(size_t n, size_t m) { others++; return calloc(n, m); }
static void *other_realloc(void *p, size_t n) { others++; return realloc(p, n); }
static void other_free(void *p) { others++; free(p); }

static const char *whose(const sasl_utils_t *utils)
{
    return utils->malloc == my_malloc && utils->calloc == my_calloc &&
                   utils->realloc == my_realloc && utils->free == my_free
               ? "mine"
           : utils->malloc == other_malloc && utils->free == other_free ? "other"
                                                                        : "built in";
}
static int looker(const sasl_utils_t *utils, int max, int *version, sasl_auxprop_plug_t **plug,
                  const char *plugname)
{
    void *a, *b, *c;
    unsigned before = mallocs + callocs + reallocs + frees;
    (void)max;
    (void)version;
    (void)plug;
    (void)plugname;
    say("<allocators in utils: %s>", whose(utils));
    a = utils->malloc(10);
    b = utils->calloc(2, 10);
    c = utils->realloc(NULL, 10);
    c = utils->realloc(c, 20);
    utils->free(a);
    utils->free(b);
    utils->free(c);
    say("<%u of my functions ran>", mallocs + callocs + reallocs + frees - before);
    return SASL_NOMECH;
}

static void alloc(void)
{
    DO(sasl_set_alloc(my_malloc, my_calloc, my_realloc, my_free));
    DO(sasl_set_alloc(other_malloc, other_calloc, other_realloc, other_free));
    CALL(sasl_server_init(NULL, "oxitest"));
    CALL(sasl_auxprop_add_plugin("looker", looker));
    DO(sasl_set_alloc(other_malloc, other_calloc, other_realloc, other_free));
    CALL(sasl_auxprop_add_plugin("looker", looker));
    sasl_done();
    DO(sasl_set_alloc(other_malloc, other_calloc, other_realloc, other_free));
    CALL(sasl_server_init(NULL, "oxitest"));
    CALL(sasl_auxprop_add_plugin("looker", looker));
    sasl_done();
    say("others used: %s", others ? "yes" : "no");
}

static void alloc_late(void)
{
    CALL(sasl_client_init(NULL));
    DO(sasl_set_alloc(my_malloc, my_calloc, my_realloc, my_free));
    CALL(sasl_server_init(NULL, "oxitest"));
    CALL(sasl_auxprop_add_plugin("looker", looker));
    sasl_done();
    sasl_done();
    DO(sasl_set_alloc(my_malloc, my_calloc, my_realloc, my_free));
    CALL(sasl_server_init(NULL, "oxitest"));
    CALL(sasl_auxprop_add_plugin("looker", looker));
    sasl_done();
}

static unsigned made, locked, unlocked, freed;
static int lock_code;
static void *my_mutex(void) { made++; return &made; }
static int my_lock(void *m) { (void)m; locked++; return lock_code; }
static int my_unlock(void *m) { (void)m; unlocked++; return 0; }
static void my_mutex_free(void *m) { (void)m; freed++; }

static int mutex_looker(const sasl_utils_t *utils, int max, int *version,
                        sasl_auxprop_plug_t **plug, const char *plugname)
{
    void *mutex;
    (void)max;
    (void)version;
    (void)plug;
    (void)plugname;
    say("<mutex functions: %s>", utils->mutex_alloc == my_mutex && utils->mutex_lock == my_lock &&
                utils->mutex_unlock == my_unlock && utils->mutex_free == my_mutex_free
            ? "mine" : "built in");
    mutex = utils->mutex_alloc();
    say("<mutex %s, lock %d, unlock %d>", mutex ? "given" : "NULL", utils->mutex_lock(mutex),
        utils->mutex_unlock(mutex));
    utils->mutex_free(mutex);
    return SASL_NOMECH;
}

static void mutex(void)
{
    DO(sasl_set_mutex(my_mutex, my_lock, my_unlock, my_mutex_free));
    CALL(sasl_server_init(NULL, "oxitest"));
    CALL(sasl_auxprop_add_plugin("looker", mutex_looker));
    sasl_done();
    say("as many locked as unlocked: %s", locked == unlocked ? "yes" : "no");
    say("as many made as freed: %s", made == freed ? "yes" : "no");
}

static void mutex_default(void)
{
    CALL(sasl_server_init(NULL, "oxitest"));
    CALL(sasl_auxprop_add_plugin("looker", mutex_looker));
    sasl_done();
}

static void mutex_late(void)
{
    CALL(sasl_server_init(NULL, "oxitest"));
    DO(sasl_set_mutex(my_mutex, my_lock, my_unlock, my_mutex_free));
    CALL(sasl_auxprop_add_plugin("looker", mutex_looker));
    sasl_done();
    DO(sasl_set_mutex(my_mutex, my_lock, my_unlock, my_mutex_free));
    CALL(sasl_server_init(NULL, "oxitest"));
    CALL(sasl_auxprop_add_plugin("looker", mutex_looker));
    sasl_done();
}

static void mutex_client_first(void)
{
    CALL(sasl_client_init(NULL));
    DO(sasl_set_mutex(my_mutex, my_lock, my_unlock, my_mutex_free));
    CALL(sasl_server_init(NULL, "oxitest"));
    CALL(sasl_auxprop_add_plugin("looker", mutex_looker));
    sasl_done();
}

static void path(void)
{
    static char none[] = "./none";
    char *big = malloc(5000);
    CALL(sasl_set_path(SASL_PATH_TYPE_CONFIG, none));
    CALL(sasl_server_init(NULL, "oxitest"));
    CALL(sasl_set_path(SASL_PATH_TYPE_CONFIG, none));
    CALL(sasl_set_path(2, none));
    global_list("mech");
    sasl_done();
    memset(big, '/', 4999);
    big[4999] = 0;
    CALL(sasl_set_path(SASL_PATH_TYPE_CONFIG, big));
    free(big);
}

/* stock fails here: the path is forgotten, its getter is not */
static void path_and_again(void)
{
    static char none[] = "./none";
    CALL(sasl_set_path(SASL_PATH_TYPE_CONFIG, none));
    CALL(sasl_server_init(NULL, "oxitest"));
    sasl_done();
    CALL(sasl_server_init(NULL, "oxitest"));
    sasl_done();
}

static void path_list(void)
{
    static char paths[] = "./none:./conf";
    FILE *file = fopen("conf/oxitest.conf", "w");
    sasl_conn_t *conn = NULL;
    fputs("mech_list: EXTERNAL\n", file);
    fclose(file);
    CALL(sasl_set_path(SASL_PATH_TYPE_CONFIG, paths));
    paths[0] = 'X'; /* is the text copied? */
    CALL(sasl_server_init(NULL, "oxitest"));
    CALL(sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn));
    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob");
    list_mechs(conn, NULL, "", " ", "");
    sasl_dispose(&conn);
    sasl_done();
    unlink("conf/oxitest.conf");
}

int main(void)
{
    SECTION(alloc);
    SECTION(alloc_late);
    SECTION(mutex);
    SECTION(mutex_default);
    SECTION(mutex_late);
    SECTION(mutex_client_first);
    SECTION(path);
    SECTION(path_and_again);
    SECTION(path_list);
    return 0;
}
