/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The client side: answering with callbacks and with INTERACT, and calls in
 * the wrong order. */
#include "store.h"

static sasl_conn_t *conn;
static const sasl_callback_t global[] = {{SASL_CB_LOG, PROC(cb_log), NULL},
                                         {SASL_CB_LIST_END, NULL, NULL}};

static int simple_code;
static int simple(void *context, int id, const char **result, unsigned *len)
{
    say("<simple id 0x%x len %s -> %s %s>", (unsigned)id, len == NULL ? "NULL" : "given",
        str(context), code_name(simple_code));
    *result = context;
    if (len != NULL)
        *len = context == NULL ? 0 : (unsigned)strlen(context);
    return simple_code;
}

static sasl_secret_t *secret_out;
static int secret_code;
static int secret(sasl_conn_t *c, void *context, int id, sasl_secret_t **out)
{
    (void)context;
    say("<secret id 0x%x conn %s -> %s>", (unsigned)id, c == conn ? "this" : "other",
        code_name(secret_code));
    *out = secret_out;
    return secret_code;
}

static int realm(void *context, int id, const char **available, const char **result)
{
    (void)context;
    say("<realm id 0x%x, first %s>", (unsigned)id,
        available && available[0] ? str(available[0]) : "none");
    *result = "r";
    return SASL_OK;
}

static void set_secret(const char *text, unsigned len)
{
    free(secret_out);
    secret_out = malloc(sizeof *secret_out + len + 1);
    secret_out->len = len;
    memcpy(secret_out->data, text, len);
    secret_out->data[len] = 0;
}

static sasl_callback_t answers[] = {{SASL_CB_USER, PROC(simple), (void *)"alice"},
                                    {SASL_CB_AUTHNAME, PROC(simple), (void *)"bob"},
                                    {SASL_CB_PASS, PROC(secret), NULL},
                                    {SASL_CB_GETREALM, PROC(realm), NULL},
                                    {SASL_CB_LIST_END, NULL, NULL}};
static const sasl_callback_t prompts[] = {{SASL_CB_USER, NULL, NULL},
                                          {SASL_CB_AUTHNAME, NULL, NULL},
                                          {SASL_CB_PASS, NULL, NULL},
                                          {SASL_CB_LIST_END, NULL, NULL}};

static void fresh_with(const sasl_callback_t *list, unsigned flags)
{
    sasl_dispose(&conn);
    say("-- new connection");
    CALL(sasl_client_new("imap", "host.example", NULL, NULL, list, flags, &conn));
}
static void fresh(const sasl_callback_t *list)
{
    fresh_with(list, 0);
}
static void up(void)
{
    CALL(sasl_client_init(global));
}
static void down(void)
{
    sasl_dispose(&conn);
    DO(sasl_done());
    free(secret_out);
    secret_out = NULL;
}

static void show_prompts(const sasl_interact_t *need)
{
    for (; need != NULL && need->id != SASL_CB_LIST_END; need++)
        say("    asks 0x%lx challenge %s prompt %s default %s result %s len %u", need->id,
            str(need->challenge), str(need->prompt), str(need->defresult),
            need->result == NULL ? "NULL" : "set", need->len);
}

static int begin(const char *mechs, sasl_interact_t **need)
{
    const char *out = "untouched", *mech = "untouched";
    unsigned len = 4242;
    int code;
    say("client_start(%s, %s)", str(mechs), need == NULL ? "NULL" : *need ? "prompts" : "&NULL");
    depth++;
    code = sasl_client_start(conn, mechs, need, &out, &len, &mech);
    depth--;
    say("  = %d %s, out %s, len %u, mech %s", code, code_name(code),
        out == NULL ? "NULL" : len == 4242 ? str(out) : bytes(out, len), len, str(mech));
    if (code == SASL_INTERACT && need != NULL)
        show_prompts(*need);
    return code;
}

static int go_on(const char *in, unsigned inlen, sasl_interact_t **need)
{
    const char *out = "untouched";
    unsigned len = 4242;
    int code;
    say("client_step(%s, %u)", in == NULL ? "NULL" : bytes(in, inlen), inlen);
    depth++;
    code = sasl_client_step(conn, in, inlen, need, &out, &len);
    depth--;
    say("  = %d %s, out %s, len %u", code, code_name(code),
        out == NULL ? "NULL" : len == 4242 ? str(out) : bytes(out, len), len);
    if (code == SASL_INTERACT && need != NULL)
        show_prompts(*need);
    return code;
}

static void callbacks(void)
{
    sasl_interact_t *need = NULL;
    up();
    set_secret("secret", 6);
    fresh(answers);
    begin("PLAIN", NULL);
    show_conn(conn);
    go_on("", 0, NULL);
    fresh(answers);
    begin("PLAIN", &need);
    show_conn(conn);
    fresh(answers);
    begin("LOGIN", &need);
    show_conn(conn);
    go_on("Username:", 9, &need);
    go_on("Password:", 9, &need);
    show_conn(conn);
    go_on("", 0, &need);
    fresh(answers);
    begin("ANONYMOUS", &need);
    show_conn(conn);
    fresh(answers);
    begin("EXTERNAL", &need);
    show_conn(conn);
    fresh(answers);
    CALL(sasl_setprop(conn, SASL_AUTH_EXTERNAL, "bob"));
    begin("EXTERNAL", &need);
    show_conn(conn);
    fresh_with(answers, SASL_SUCCESS_DATA);
    begin("PLAIN", &need);
    show_conn(conn);
    down();
}

static void odd_answers(void)
{
    static const struct { const char *user, *authname, *pass; int codes; } sets[] = {
        {"", "bob", "secret", 0}, {"bob", "bob", "secret", 0}, {NULL, "bob", "secret", 0},
        {"alice", "", "secret", 0}, {" alice ", " bob ", "secret", 0},
        {"alice", "bob", "", 0}, {"a\xff", "b\xff", "\xff", 0}, {"bob@r", "bob@r", "x", 0}};
    unsigned i;
    up();
    for (i = 0; i < sizeof sets / sizeof *sets; i++) {
        answers[0].context = (void *)sets[i].user;
        answers[1].context = (void *)sets[i].authname;
        set_secret(sets[i].pass, (unsigned)strlen(sets[i].pass));
        fresh(answers);
        begin("PLAIN", NULL);
        show_conn(conn);
        fresh(answers);
        begin("LOGIN", NULL);
        go_on("Username:", 9, NULL);
        go_on("Password:", 9, NULL);
        STRING(sasl_errdetail(conn));
    }
    down();
}

/* A name of blanks only, and a password that PLAIN cannot carry. */
static void refused(void)
{
    up();
    answers[0].context = (void *)"alice";
    answers[1].context = (void *)" ";
    set_secret("secret", 6);
    fresh(answers);
    begin("PLAIN", NULL);
    show_conn(conn);
    fresh(answers);
    begin("LOGIN", NULL);
    go_on("Username:", 9, NULL);
    STRING(sasl_errdetail(conn));
    answers[1].context = (void *)"bob";
    set_secret("nul\0inside", 10);
    fresh(answers);
    begin("PLAIN", NULL);
    down();
}

/* EXTERNAL where nothing external is known. */
static void no_external(void)
{
    static const char *lists[] = {"EXTERNAL", "EXTERNAL PLAIN", "ANONYMOUS PLAIN LOGIN EXTERNAL",
                                  NULL};
    int i;
    up();
    set_secret("secret", 6);
    for (i = 0; lists[i] != NULL; i++) {
        fresh(answers);
        begin(lists[i], NULL);
        show_conn(conn);
    }
    down();
}

static void failing_answers(void)
{
    static const int codes[] = {SASL_FAIL, SASL_BADPARAM, SASL_INTERACT, SASL_CONTINUE};
    sasl_interact_t *need = NULL;
    unsigned i;
    up();
    set_secret("secret", 6);
    for (i = 0; i < 4; i++) {
        simple_code = codes[i];
        fresh(answers);
        need = NULL;
        begin("PLAIN", &need);
        STRING(sasl_errdetail(conn));
        simple_code = SASL_OK;
        secret_code = codes[i];
        fresh(answers);
        need = NULL;
        begin("PLAIN", &need);
        STRING(sasl_errdetail(conn));
        secret_code = SASL_OK;
    }
    fresh(NULL);
    begin("PLAIN", NULL);
    STRING(sasl_errdetail(conn));
    begin("ANONYMOUS", NULL);
    down();
}

static void interact(void)
{
    sasl_interact_t *need = NULL, *each;
    up();
    fresh(prompts);
    begin("PLAIN", &need);
    show_conn(conn);
    for (each = need; each && each->id != SASL_CB_LIST_END; each++) {
        each->result = each->id == SASL_CB_USER       ? "alice"
                       : each->id == SASL_CB_AUTHNAME ? "bob"
                                                      : "secret";
        each->len = (unsigned)strlen(each->result);
    }
    begin("PLAIN", &need);
    say("prompts %s", need == NULL ? "NULL" : "left");
    show_conn(conn);

    need = NULL;
    fresh(prompts);
    begin("LOGIN ANONYMOUS", &need);
    go_on("Username:", 9, &need);
    for (each = need; each && each->id != SASL_CB_LIST_END; each++) {
        each->result = "bob";
        each->len = 3;
    }
    go_on("Username:", 9, &need);
    go_on("Password:", 9, &need);
    show_conn(conn);

    need = NULL;
    fresh(prompts);
    begin("PLAIN", &need);
    say("unanswered:");
    begin("PLAIN", &need);
    show_conn(conn);
    need = NULL;
    fresh(prompts);
    begin("PLAIN", &need);
    for (each = need; each && each->id != SASL_CB_LIST_END; each++) {
        each->result = "";
        each->len = 0;
    }
    begin("PLAIN", &need);
    show_conn(conn);
    down();
}

static void outputs(void)
{
    const char *mech = "untouched";
    const char *out = "untouched";
    unsigned len = 4242;
    up();
    set_secret("secret", 6);
    fresh(answers);
    CALL(sasl_client_start(conn, "PLAIN", NULL, NULL, NULL, &mech));
    say("mech %s", str(mech));
    CALL(sasl_client_step(conn, NULL, 0, NULL, &out, &len));
    say("out %s", out == NULL ? "NULL" : bytes(out, len));
    fresh(answers);
    CALL(sasl_client_start(conn, "PLAIN", NULL, &out, &len, NULL));
    say("out %s", out == NULL ? "NULL" : bytes(out, len));
    down();
}

static void order(void)
{
    up();
    set_secret("secret", 6);
    fresh(answers);
    begin("PLAIN", NULL);
    begin("PLAIN", NULL);
    go_on("x", 1, NULL);
    STRING(sasl_errdetail(conn));
    fresh(answers);
    begin("LOGIN", NULL);
    begin("PLAIN", NULL);
    show_conn(conn);
    fresh(answers);
    begin("LOGIN", NULL);
    go_on(NULL, 5, NULL);
    STRING(sasl_errdetail(conn));
    fresh(answers);
    begin("LOGIN", NULL);
    go_on("", 0, NULL);
    go_on("Password:", 9, NULL);
    fresh(answers);
    begin("LOGIN", NULL);
    go_on("anything", 8, NULL);
    go_on("anything", 8, NULL);
    fresh(answers);
    begin("FOO", NULL);
    begin("PLAIN", NULL);
    fresh(answers);
    begin("PLAIN", NULL);
    begin("FOO", NULL);
    show_conn(conn);
    CALL(sasl_client_start(NULL, "PLAIN", NULL, NULL, NULL, NULL));
    CALL(sasl_client_step(NULL, "x", 1, NULL, NULL, NULL));
    down();
}

static void long_names(void)
{
    static const unsigned sizes[] = {1023, 1024, 1025, 65536};
    char *big = malloc(70000);
    unsigned i;
    up();
    set_secret("secret", 6);
    for (i = 0; i < 4; i++) {
        memset(big, 'a', 69999);
        big[sizes[i]] = 0;
        answers[0].context = (void *)"";
        answers[1].context = big;
        fresh(answers);
        begin("PLAIN", NULL);
        STRING(sasl_errdetail(conn));
        answers[0].context = big;
        answers[1].context = (void *)"bob";
        fresh(answers);
        begin("PLAIN", NULL);
        STRING(sasl_errdetail(conn));
    }
    set_secret(big, 65536);
    answers[0].context = (void *)"";
    fresh(answers);
    begin("PLAIN", NULL);
    free(big);
    down();
}

static void default_authname(void)
{
    static const sasl_callback_t pass_only[] = {{SASL_CB_PASS, PROC(secret), NULL},
                                                {SASL_CB_USER, PROC(simple), (void *)""},
                                                {SASL_CB_LIST_END, NULL, NULL}};
    up();
    set_secret("secret", 6);
    setenv("USER", "fromenv", 1);
    fresh(pass_only);
    begin("PLAIN", NULL);
    STRING(sasl_errdetail(conn));
    unsetenv("USER");
    setenv("USERNAME", "fromenv2", 1);
    fresh(pass_only);
    begin("PLAIN", NULL);
    STRING(sasl_errdetail(conn));
    unsetenv("USERNAME");
    fresh(pass_only);
    begin("PLAIN", NULL);
    STRING(sasl_errdetail(conn));
    down();
}

int main(void)
{
    SECTION(callbacks);
    SECTION(odd_answers);
    SECTION(refused);
    SECTION(no_external);
    SECTION(failing_answers);
    SECTION(interact);
    SECTION(outputs);
    SECTION(order);
    SECTION(long_names);
    SECTION(default_authname);
    return 0;
}
