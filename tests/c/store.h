/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* An auxprop plugin over a table in memory; it prints each call with its flags
 * and the names that are wanted. */
#ifndef STORE_H
#define STORE_H

#include "trace.h"

typedef struct { const char *user, *name, *value; } row_t;

static const row_t store_rows[] = {
    {"bob", "userPassword", "secret"},
    {"bob", "mail", "bob@example.com"},
    {"alice", "userPassword", "wonder"},
    {"alice", "userPassword", "second"},
    {"alice", "mail", "alice@example.com"},
    {"bob@realm.example", "userPassword", "realmsecret"},
    {"alice@x", "mail", "alice@x.example"},
    {"empty", "userPassword", ""},
    {"nopass", "mail", "nopass@example.com"},
};

typedef struct {
    const char *name;
    int fixed; /* 0: consult the table; 1: a code comes instead */
    int code;
    int quiet;
} store_t;

static UNUSED const char *flag_names(unsigned flags)
{
    char *out = slot();
    sprintf(out, "0x%x%s%s%s", flags, flags & SASL_AUXPROP_OVERRIDE ? " OVERRIDE" : "",
            flags & SASL_AUXPROP_AUTHZID ? " AUTHZID" : "",
            flags & SASL_AUXPROP_VERIFY_AGAINST_HASH ? " HASH" : "");
    return out;
}

static UNUSED int store_lookup(void *glob, sasl_server_params_t *sparams, unsigned flags,
                               const char *user, unsigned ulen)
{
    store_t *store = glob;
    const struct propval *wanted;
    const char *known = bytes(user, ulen);
    int found = 0;
    size_t i;

    say("<%s lookup user %s flags %s", store->name, known, flag_names(flags));
    depth++;
    for (wanted = sparams->utils->prop_get(sparams->propctx); wanted && wanted->name; wanted++) {
        int j = 0;
        say("wants %s, has %u values", wanted->name, wanted->nvalues);
        for (; wanted->values != NULL && wanted->values[j] != NULL; j++)
            say("    %s", str(wanted->values[j]));
    }
    if (store->fixed) {
        depth--;
        say("%s -> %d %s>", store->name, store->code, code_name(store->code));
        return store->code;
    }
    for (i = 0; i < sizeof store_rows / sizeof *store_rows; i++) {
        const row_t *row = &store_rows[i];
        if (strlen(row->user) != ulen || memcmp(row->user, user, ulen) != 0)
            continue;
        found = 1;
        for (wanted = sparams->utils->prop_get(sparams->propctx); wanted && wanted->name; wanted++) {
            const char *name = wanted->name;
            int authid_only = *name == '*';
            if ((flags & SASL_AUXPROP_AUTHZID) ? authid_only : !authid_only)
                continue;
            if (authid_only)
                name++;
            if (strcmp(name, row->name) == 0)
                sparams->utils->prop_set(sparams->propctx, wanted->name, row->value, 0);
        }
    }
    depth--;
    say("%s -> %s>", store->name, found ? "OK" : "NOUSER");
    return found ? SASL_OK : SASL_NOUSER;
}

static UNUSED int store_store(void *glob, sasl_server_params_t *sparams, struct propctx *ctx,
                              const char *user, unsigned ulen)
{
    store_t *store = glob;
    const struct propval *given;
    if (ctx == NULL) {
        say("<%s store probe -> %s>", store->name, code_name(store->code));
        return store->code;
    }
    say("<%s store user %s", store->name, bytes(user, ulen));
    for (given = sparams->utils->prop_get(ctx); given && given->name; given++)
        say("    %s = %s (%u values, %u bytes)", given->name,
            given->values && given->values[0] ? str(given->values[0]) : "none",
            given->nvalues, given->valsize);
    say(" -> %s>", code_name(store->code));
    return store->code;
}

static UNUSED void store_free(void *glob, const sasl_utils_t *utils)
{
    store_t *store = glob;
    say("<%s auxprop_free, utils %s>", store->name, utils == NULL ? "NULL" : "given");
}

static UNUSED int store_fill(store_t *store, sasl_auxprop_plug_t *plug, int stores, int max,
                             int *version, sasl_auxprop_plug_t **out)
{
    memset(plug, 0, sizeof *plug);
    plug->glob_context = store;
    plug->name = (char *)store->name;
    plug->auxprop_lookup = store_lookup;
    plug->auxprop_store = stores ? store_store : NULL;
    plug->auxprop_free = store_free;
    *version = SASL_AUXPROP_PLUG_VERSION;
    *out = plug;
    say("<%s init, max version %d>", store->name, max);
    return SASL_OK;
}

#define STORE(ident, given_name, is_fixed, the_code, can_store)                            \
    static store_t ident##_store = {given_name, is_fixed, the_code, 0};                    \
    static sasl_auxprop_plug_t ident##_plug;                                               \
    static UNUSED int ident(const sasl_utils_t *utils, int max, int *version,              \
                            sasl_auxprop_plug_t **plug, const char *plugname)              \
    {                                                                                      \
        (void)utils;                                                                       \
        (void)plugname;                                                                    \
        return store_fill(&ident##_store, &ident##_plug, can_store, max, version, plug);   \
    }

STORE(table, "table", 0, SASL_OK, 0)

#endif
