/* Runs the built program in a folder of its own and looks at exit code, output, and what is left.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_CLI_PROGRAM_H
#define TPP_TESTS_CLI_PROGRAM_H

#include "../io/scratch.h"

#include <sys/wait.h>

/* What the last run printed. */
static char program_out[1 << 18], program_err[1 << 14];

static inline void read_output(char *to, size_t size, const char *name)
{
    FILE *f = fopen(scratch(name), "rb");
    assert_non_null(f);
    to[fread(to, 1, size - 1, f)] = '\0';
    (void)fclose(f);
}

/* Runs a shell command in the test's folder; "tpp" in it is the program. */
static inline int shell(const char *command)
{
    static char whole[8192];
    const int n = snprintf(whole, sizeof whole,
                           "cd %s && tpp() { '%s' \"$@\"; } && { %s\n} > stdout.txt 2> stderr.txt",
                           scratch_folder, TPP_PROGRAM, command);
    assert_true(n > 0 && (size_t)n < sizeof whole);
    const int status = system(whole);
    read_output(program_out, sizeof program_out, "stdout.txt");
    read_output(program_err, sizeof program_err, "stderr.txt");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static inline int program(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline int program(const char *format, ...)
{
    static char command[6000];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(command, sizeof command, format, args);
    va_end(args);
    assert_true(n > 0 && (size_t)n < sizeof command);
    return shell(command);
}

#define EXPECT_OK(...)                                                    \
    do {                                                                  \
        const int code_ = program(__VA_ARGS__);                           \
        if (code_ != 0) fail_msg("exit code %d: %s", code_, program_err); \
    } while (0)

/* The run ends with `code`, its message holds `fact`, and nothing is left at "out". */
#define EXPECT_FAILS(code, fact, ...)                                                     \
    do {                                                                                  \
        const int code_ = program(__VA_ARGS__);                                           \
        if (code_ != (code) || strstr(program_err, (fact)) == NULL)                       \
            fail_msg("wanted exit code %d and \"%s\", got %d: %s", (code), (fact), code_, \
                     program_err);                                                        \
        assert_nothing_left();                                                            \
    } while (0)

static inline void assert_nothing_left(void)
{
    char command[256];
    (void)snprintf(command, sizeof command,
                   "cd %s && ! ls -d out out.* *.tmp.* *.spool.* 2>/dev/null | grep -q .",
                   scratch_folder);
    if (system(command) != 0) fail_msg("something is left after: %s", program_err);
}

static inline bool file_is_there(const char *name)
{
    return tpp_path_exists(scratch(name));
}

/* For cmocka_unit_test_setup: what an earlier failure left must not fail this test. */
static inline int start_clean(void **state)
{
    (void)state;
    return shell("rm -rf out out.* out2 out4");
}

static inline void remove_out(void)
{
    assert_int_equal(shell("rm -rf out"), 0);
}

/* Sizes of the reference's forward_micro, and the smallest pictures that the network takes. */
#define MICRO_SET                                                                            \
    "-s backbone.name=tiny -s model.hidden=32 -s model.heads=4 -s model.ffn=64 "             \
    "-s model.enc_layers=1 -s model.dec_layers=1 -s model.mask_dim=32 -s text.layers=1 "     \
    "-s text.hidden=32 -s text.heads=2 -s text.ffn=64 -s text.vocab=2000 -s infer.short=32 " \
    "-s infer.max=64"

/* A model called "model". */
static inline int make_model(void)
{
    return shell("tpp weights synth -o model --seed 3 --vocab '" TPP_SOURCE_DIR
                 "/weights/vocab' " MICRO_SET);
}

/* For cmocka_run_group_tests: the folder, and in it a model. */
static inline int program_setup(void **state)
{
    return scratch_setup(state) != 0 ? -1 : make_model();
}

/* The same in memory, where there is such a place: for tests that sync very many files. */
static inline int program_setup_in_memory(void **state)
{
    (void)snprintf(scratch_folder, sizeof scratch_folder, "/dev/shm/tpp-io-XXXXXX");
    return mkdtemp(scratch_folder) == NULL ? program_setup(state) : make_model();
}

#endif
