/* Children of the same executable, timed by their parent.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cli/bench_cold.h"

#include "cli/cli.h"
#include "core/clock.h"
#include "core/mem.h"
#include "infer/out_folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 2 * TPP_MAX_REPEATS + 26, TEXT = 24 };

/* ---- arguments ---- */

typedef struct command {
    char *argv[MAX_ARGUMENTS];
    int n;
    bool failed;
} command;

static void add(command *c, const char *text)
{
    char *copy = tpp_strdup(text);
    if (copy == NULL) c->failed = true;
    if (copy != NULL) c->argv[c->n++] = copy;
}

static void add_option(command *c, const char *name, const char *value)
{
    add(c, name);
    add(c, value);
}

static void add_number(command *c, const char *name, int value)
{
    char text[TEXT];
    (void)snprintf(text, sizeof(text), "%d", value);
    add_option(c, name, text);
}

static void free_command(command *c)
{
    for (int i = 0; i < c->n; i++) tpp_free(c->argv[i]);
    *c = (command){0};
}

static tpp_status make_command(command *c, const tpp_bench_cold *cold)
{
    const tpp_bench_cell *cell = cold->cell;
    char size[2 * TEXT];
    (void)snprintf(size, sizeof(size), "%dx%d", cell->height, cell->width);
    add(c, "tpp");
    add(c, "bench");
    add(c, "--first-mask");
    if (cold->config != NULL) add_option(c, "--config", cold->config);
    for (int i = 0; i < cold->common->sets.count; i++)
        add_option(c, "--set", cold->common->sets.item[i]);
    add_option(c, "--size", size);
    add_number(c, "--prompts", cell->prompts);
    add_number(c, "--tokens", cell->tokens);
    add_number(c, "--frames", cell->frames);
    if (cell->algorithm != NULL) add_option(c, "--algorithm", cell->algorithm);
    if (cold->device != NULL) add_option(c, "--device", cold->device);
    if (cold->common->tuning != NULL) add_option(c, "--tuning", cold->common->tuning);
    return c->failed ? TPP_ENOMEM : TPP_OK;
}

/* ---- caches ---- */

/* Where this program and the drivers keep compiled kernels: set to an empty folder. */
static const char *const cache_variables[] = {"TPP_CACHE_DIR",         "XDG_CACHE_HOME",
                                              "POCL_CACHE_DIR",        "CUDA_CACHE_PATH",
                                              "MESA_SHADER_CACHE_DIR", "NEO_CACHE_DIR"};

static tpp_status make_empty_folder(char *path, size_t size)
{
    const char *parent = getenv("TMPDIR");
    (void)snprintf(path, size, "%s/tpp-bench-XXXXXX", parent != NULL ? parent : "/tmp");
    if (mkdtemp(path) == NULL)
        return TPP_FAIL(TPP_EIO, "%s: cannot make an empty cache: %s", path, strerror(errno));
    return TPP_OK;
}

/* ---- a child ---- */

/* In the child. */
static void become(command *c, const char *cache, int out, int err)
{
    for (int i = 0; cache != NULL && i < TPP_COUNT(cache_variables); i++)
        (void)setenv(cache_variables[i], cache, 1);
    if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0) _exit(TPP_EXIT_FAILED);
    (void)execv("/proc/self/exe", c->argv);
    _exit(TPP_EXIT_FAILED);
}

/* *out: the end to read the child's standard output from; its errors go to the file `err`. */
static tpp_status start(pid_t *process, int *out, command *c, const char *cache, int err)
{
    int ends[2] = {-1, -1};
    if (pipe(ends) != 0) return TPP_FAIL(TPP_EIO, "no pipe: %s", strerror(errno));
    (void)fflush(NULL);
    *process = fork();
    if (*process == 0) {
        (void)close(ends[0]);
        become(c, cache, ends[1], err);
    }
    (void)close(ends[1]);
    *out = ends[0];
    if (*process > 0) return TPP_OK;
    (void)close(ends[0]);
    return TPP_FAIL(TPP_EIO, "no process: %s", strerror(errno));
}

/* Reads until the end, or until `size` - 1 bytes are there. */
static void read_text(int from, char *text, size_t size)
{
    size_t n = 0;
    while (n + 1 < size) {
        const ssize_t got = read(from, text + n, size - 1 - n);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        n += (size_t)got;
    }
    text[n] = '\0';
}

/* Exit code of a child, 128 and the signal's number. */
static int wait_for(pid_t process)
{
    int status = 0;
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR) return TPP_EXIT_FAILED;
    return WIFEXITED(status) ? WEXITSTATUS(status) : TPP_EXIT_SIGNAL + WTERMSIG(status);
}

/* The status that the child's exit code stands for; its message without the program's name. */
static tpp_status fail_as(int code, char *message)
{
    static const char prefix[] = "tpp bench: ";
    const char *text = strstr(message, prefix);
    text = text != NULL ? text + sizeof(prefix) - 1 : message;
    message[strcspn(message, "\n")] = '\0';
    const tpp_status s = code == TPP_EXIT_USAGE    ? TPP_EUNSUPPORTED
                         : code == TPP_EXIT_DEVICE ? TPP_EDEVICE
                         : code == TPP_EXIT_MEMORY ? TPP_EDEVMEM
                                                   : TPP_EINTERNAL;
    return TPP_FAIL(s, "exit code %d: %s", code, text[0] != '\0' ? text : "no message");
}

static tpp_status check_child(pid_t process, const char *word, FILE *errors)
{
    char message[1024];
    const int code = wait_for(process);
    rewind(errors);
    message[fread(message, 1, sizeof(message) - 1, errors)] = '\0';
    if (code != 0) return fail_as(code, message);
    if (strcmp(word, TPP_FIRST_MASK_WORD) != 0)
        return TPP_FAIL(TPP_EINTERNAL, "the child ended without a mask");
    return TPP_OK;
}

/* Milliseconds to the word that tells of the first mask. */
static tpp_status time_child(double *ms, command *c, const char *cache)
{
    char word[sizeof(TPP_FIRST_MASK_WORD)] = "";
    pid_t process = 0;
    int out = -1;
    FILE *errors = tmpfile();
    if (errors == NULL) return TPP_FAIL(TPP_EIO, "no temporary file: %s", strerror(errno));
    const double begin = tpp_clock_seconds();
    tpp_status s = start(&process, &out, c, cache, fileno(errors));
    if (s == TPP_OK) {
        read_text(out, word, sizeof(word));
        *ms = (tpp_clock_seconds() - begin) * 1e3;
        (void)close(out);
        s = check_child(process, word, errors);
    }
    (void)fclose(errors);
    return s;
}

static tpp_status time_once(double *ms, command *c, bool empty_cache)
{
    char folder[512] = "";
    if (!empty_cache) return time_child(ms, c, NULL);
    TPP_TRY(make_empty_folder(folder, sizeof(folder)));
    const tpp_status s = time_child(ms, c, folder);
    tpp_remove_tree(folder);
    return s;
}

/* ---- the scenario ---- */

static tpp_status time_all(tpp_bench_row *r, const tpp_bench_cold *cold, command *c)
{
    const tpp_bench_cell *cell = cold->cell;
    double *ms = NULL, unused = 0;
    tpp_status s = TPP_OK;
    TPP_TRY(make_command(c, cold));
    if (!cell->empty_cache) TPP_TRY(time_once(&unused, c, false));
    TPP_NEW(ms, cell->repeat);
    for (int i = 0; s == TPP_OK && i < cell->repeat; i++)
        s = time_once(&ms[i], c, cell->empty_cache);
    if (s == TPP_OK) s = tpp_bench_set_samples(r, ms, cell->repeat);
    tpp_free(ms);
    return s;
}

tpp_status tpp_bench_measure_cold(tpp_bench_row *r, const tpp_bench_cold *cold)
{
    command c = {0};
    const tpp_status s = time_all(r, cold, &c);
    free_command(&c);
    if (s == TPP_OK)
        tpp_bench_set_status(r, TPP_BENCH_OK, "");
    else
        tpp_bench_give_up(r, s, s == TPP_EINTERNAL);
    return s;
}
