/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Writes records to a Berkeley DB hash file through db.h. Nothing is linked:
 * the caller hands over the library's db_create, found at run time.
 */
#include <db.h>
#include <stddef.h>
#include <string.h>

#define NAME(symbol) #symbol
#define NAME_OF(symbol) NAME(symbol)

struct change {
    const unsigned char *key;
    size_t key_size;
    const unsigned char *value; /* NULL: remove the record */
    size_t value_size;
};

typedef int create_fn(DB **, DB_ENV *, u_int32_t);

/* The name that db.h gives db_create: builds with unique names add a suffix. */
const char *oxi_berkeley_symbol(void) { return NAME_OF(db_create); }

int oxi_berkeley_version(void) { return DB_VERSION_MAJOR * 100 + DB_VERSION_MINOR; }

/* The default writes to the standard error, which may be a client's socket. */
static void keep_quiet(const DB_ENV *env, const char *prefix, const char *message)
{
    (void)env;
    (void)prefix;
    (void)message;
}

static int apply(DB *db, const struct change *changes, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) {
        DBT key, value;
        int code;
        memset(&key, 0, sizeof key);
        memset(&value, 0, sizeof value);
        key.data = (void *)changes[i].key;
        key.size = (u_int32_t)changes[i].key_size;
        if (changes[i].value == NULL) {
            code = db->del(db, NULL, &key, 0);
            if (code == DB_NOTFOUND)
                code = 0;
        } else {
            value.data = (void *)changes[i].value;
            value.size = (u_int32_t)changes[i].value_size;
            code = db->put(db, NULL, &key, &value, 0);
        }
        if (code != 0)
            return code;
    }
    return 0;
}

/* 0, a number of errno.h, or a negative code of Berkeley DB. */
int oxi_berkeley_write(create_fn *create, const char *path, int fresh,
                       const struct change *changes, size_t count)
{
    DB *db = NULL;
    int code = create(&db, NULL, 0);
    int closed;
    if (code != 0)
        return code;
    db->set_errcall(db, keep_quiet);
    if (fresh)
        code = db->set_pagesize(db, 4096);
    if (code == 0)
        code = db->open(db, NULL, path, NULL, DB_HASH, fresh ? DB_CREATE : 0, 0600);
    if (code == 0)
        code = apply(db, changes, count);
    closed = db->close(db, 0);
    return code != 0 ? code : closed;
}
