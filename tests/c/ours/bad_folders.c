/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What can lie where plugins are looked for. Nothing of it keeps a login from
 * working, nothing blocks, and the log names each file that should not be there. */
#include "quiet.h"
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static void put(const char *path, const void *text, size_t size)
{
    FILE *file = fopen(path, "w");
    fwrite(text, 1, size, file);
    fclose(file);
}

/* Everything is opened: a list, and a login that needs a store. */
static void use(const char *path)
{
    sasl_conn_t *conn = NULL;
    setenv("SASL_PATH", path, 1);
    say("-- %.60s", path);
    depth++;
    CALL(sasl_server_init(global, "oxitest"));
    hush = 1;
    sasl_auxprop_add_plugin("table", table);
    hush = 0;
    sasl_server_new("imap", "host.example", NULL, NULL, NULL, NULL, 0, &conn);
    list_mechs(conn, NULL, "", " ", "");
    login_on(conn, "all the same", "\0bob\0secret", 11);
    sasl_dispose(&conn);
    sasl_done();
    depth--;
}

static void paths(void)
{
    char *longer = malloc(100002);
    put("file", "text", 4);
    mkdir("unreadable", 0);
    if (symlink("loop", "loop") != 0)
        say("no link");
    use("");
    use(":");
    use("./file");
    use("./nowhere:./file/below:./unreadable");
    use("./loop");
    memset(longer, 'x', 100000);
    longer[100000] = 0;
    use(longer);
    for (unsigned i = 0; i + 1 < 100000; i += 2)
        memcpy(longer + i, ".:", 2);
    use(longer);
    free(longer);
}

static void files(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "odd/libsocket.so"};
    static unsigned char header[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    mkdir("odd", 0755);
    put("odd/libtext.so", "This is no plugin.\n", 19);
    put("odd/libempty.so", "", 0);
    put("odd/libtruncated.so", header, sizeof header);
    header[18] = 183; /* another machine */
    header[16] = 3;
    put("odd/libforeign.so", header, sizeof header);
    mkdir("odd/libfolder.so", 0755);
    mkfifo("odd/libfifo.so", 0644);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        symlink("libloop.so", "odd/libloop.so") != 0 || symlink("nowhere", "odd/libdangling.so") != 0 ||
        symlink("/dev/zero", "odd/libdevice.so") != 0)
        say("not everything was made");
    put("odd/lib.so", "x", 1);
    put("odd/.so", "x", 1);
    put("odd/README", "x", 1);
    put("odd/libold.la", "dlname='libold.so'\n", 19);
    close(fd);
    use("./odd");
}

/* 10^4 files, ten of them with the name of a plugin. */
static void fill(void)
{
    char name[64];
    int i;
    mkdir("many", 0755);
    for (i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "many/lib%d%s", i, i % 1000 == 0 ? ".so" : ".la");
        put(name, "x", 1);
    }
}

static void many(void)
{
    use("./many");
}

int main(void)
{
    SECTION(paths);
    SECTION(files);
    fill();
    SECTION(many);
    return 0;
}
