/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the programs of this folder share: one side of an authentication whose
 * messages come and go as lines of hex digits on the standard streams, so that
 * a test can carry (and edit) them. Arguments are NAME=VALUE words.
 * Lines out: "M hex" a message, "N" no message, "E code detail" the end of it,
 * "P name value" a property, "L hex" protected data, "D hex" what the peer's
 * protected data was. Lines in: "M hex", "N", "L hex", "Q" (go away). */
#ifndef LINES_H
#define LINES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int count;
static char **words;

static const char *word(const char *name)
{
    size_t len = strlen(name);
    for (int i = 1; i < count; i++)
        if (!strncmp(words[i], name, len) && words[i][len] == '=')
            return words[i] + len + 1;
    return NULL;
}

static inline unsigned number(const char *name, unsigned otherwise)
{
    const char *text = word(name);
    return text ? (unsigned)strtoul(text, NULL, 0) : otherwise;
}

/* "name:data": the name, and where the data begins. */
static inline char *binding_of(const char *text, const char **data)
{
    char *name = strdup(text), *colon = strchr(name, ':');
    *colon = 0;
    *data = colon + 1;
    return name;
}

static void say(const char *kind, const void *data, size_t len)
{
    const unsigned char *at = data;
    printf("%s ", kind);
    for (size_t i = 0; i < len; i++)
        printf("%02x", at[i]);
    printf("\n");
    fflush(stdout);
}

static void say_nothing(void)
{
    printf("N\n");
    fflush(stdout);
}

/* The next line; its bytes in *data, or NULL for "N". "Q" and the end of the
 * input end the program. */
static char hear(char **data, size_t *len)
{
    static char *line;
    static size_t room;
    ssize_t got = getline(&line, &room, stdin);
    *data = NULL;
    *len = 0;
    if (got < 1 || line[0] == 'Q')
        exit(0);
    if (line[0] == 'N')
        return 'N';
    char *bytes = malloc((size_t)got + 1);
    for (char *at = line + 2; at[0] > ' ' && at[1] > ' '; at += 2) {
        char digits[3] = {at[0], at[1], 0};
        bytes[(*len)++] = (char)strtoul(digits, NULL, 16);
    }
    bytes[*len] = 0;
    *data = bytes;
    return line[0];
}

/* The files that are mapped as programs, as /proc has them, with | between. */
static void say_maps(void)
{
    char line[4096];
    FILE *maps = fopen("/proc/self/maps", "r");
    printf("P maps ");
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, " r-xp ") && strchr(line, '/')) {
            line[strcspn(line, "\n")] = 0;
            printf("%s|", line);
        }
    printf("\n");
    if (maps)
        fclose(maps);
}

/* The bytes that each side protects when a test asks for so many. */
static inline char *sample(size_t size)
{
    char *plain = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        plain[i] = (char)(i * 7 + 1);
    return plain;
}

#endif
