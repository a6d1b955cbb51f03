/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A server like Postfix's smtpd: it starts the library, goes into a root folder
 * without plugins, and only then checks a password:
 *   jail ROOT USER PASSWORD
 * The application's name is "jail". Prints the code of the check.
 */
#include <sasl/sasl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **words)
{
    sasl_conn_t *conn;

    if (count != 4 || sasl_server_init(NULL, "jail") != SASL_OK)
        return 2;
    if (chroot(words[1]) || chdir("/"))
        return 3;
    if (sasl_server_new("smtp", "mail.lab.test", "lab.test", NULL, NULL, NULL, 0, &conn) != SASL_OK)
        return 4;
    printf("%d\n", sasl_checkpass(conn, words[2], (unsigned)strlen(words[2]), words[3],
                                  (unsigned)strlen(words[3])));
    sasl_dispose(&conn);
    sasl_done();
    return 0;
}
