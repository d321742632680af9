/* The table of commands in its printed forms: help, manual page, completion, README.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "program.h"

enum { MAX_COMMANDS = 32 };

static char paths[MAX_COMMANDS][40]; /* "weights synth" */
static int path_count;

/* Adds the commands that the help of `path` lists, and theirs. */
static void list_commands(const char *path)
{
    static char help[1 << 14];
    EXPECT_OK("tpp help %s", path);
    const char *list = strstr(program_out, "\ncommands:\n"),
               *end = strstr(program_out, "\noptions:");
    assert_non_null(end);
    if (list == NULL || list > end) return;
    const int first = path_count;
    list += strlen("\ncommands:\n");
    (void)snprintf(help, sizeof help, "%.*s", (int)(end - list), list);
    for (char *line = strtok(help, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char name[20];
        if (sscanf(line, "  %19s", name) != 1) continue;
        assert_true(path_count < MAX_COMMANDS);
        (void)snprintf(paths[path_count++], sizeof paths[0], "%s%s%s", path,
                       path[0] != '\0' ? " " : "", name);
    }
    const int last = path_count;
    for (int i = first; i < last; i++) list_commands(paths[i]);
}

static int find_commands(void **state)
{
    if (scratch_setup(state) != 0) return -1;
    list_commands("");
    return path_count >= 16 ? 0 : -1;
}

/* The section of a command in the manual page, without the next one. */
static char *section_of(const char *page, const char *path)
{
    static char section[1 << 15];
    char title[80];
    (void)snprintf(title, sizeof title, "\n.SS tpp %s\n", path);
    const char *at = strstr(page, title);
    if (at == NULL) fail_msg("no section \"tpp %s\"", path);
    at += strlen(title);
    const char *end = strstr(at, "\n.S");
    assert_non_null(end);
    (void)snprintf(section, sizeof section, "%.*s", (int)(end - at), at);
    return section;
}

/* Looks each "--option" of the help that lies in program_out up in `section`. */
static int look_up_options(const char *section, const char *path)
{
    int found = 0;
    const char *line = strstr(program_out, "\noptions:\n");
    assert_non_null(line);
    for (line += strlen("\noptions:\n"); *line == ' '; line = strchr(line, '\n') + 1) {
        char wanted[80] = "\\fB\\-\\-";
        if (line[2] == ' ' && line[6] != '-') continue; /* an option's second line */
        const char *name = strstr(line, "--") + 2;
        for (size_t n = strlen(wanted); *name != ' '; name++) {
            if (*name == '-') wanted[n++] = '\\';
            wanted[n++] = *name;
            wanted[n] = '\0';
        }
        (void)strcat(wanted, "\\fR");
        if (strstr(section, wanted) == NULL) fail_msg("tpp %s: no %s", path, wanted);
        found++;
    }
    return found;
}

static void every_option_of_every_command_is_in_the_manual(void **state)
{
    (void)state;
    static char page[sizeof program_out];
    int options = 0;
    EXPECT_OK("tpp help --man");
    (void)snprintf(page, sizeof page, "%s", program_out);
    for (int i = 0; i < path_count; i++) {
        EXPECT_OK("tpp help %s", paths[i]);
        options += look_up_options(section_of(page, paths[i]), paths[i]);
    }
    assert_true(options > 50);
    for (const char *p = page; *p != '\0'; p++) assert_true((unsigned char)*p < 0x80);
    assert_non_null(strstr(page, "TPP_CACHE_DIR"));
    assert_non_null(strstr(page, ".SH EXIT STATUS"));
}

/* Narrow enough to be read; a number that stands for "none" is no default. */
static void help_fits_a_terminal(void **state)
{
    (void)state;
    for (int i = 0; i < path_count; i++) {
        EXPECT_OK("tpp help %s", paths[i]);
        for (const char *line = program_out; *line != '\0'; line += strcspn(line, "\n") + 1)
            if (strcspn(line, "\n") > 100) fail_msg("tpp %s: %.160s", paths[i], line);
        assert_null(strstr(program_out, "[-1]"));
    }
    EXPECT_OK("tpp help segment");
    assert_null(strstr(program_out, "of so many ["));
    assert_non_null(strstr(program_out, "frames encoded together [1]\n"));
    assert_non_null(strstr(program_out, "\n                              [auto]\n"));
}

static bool has_tool(const char *name)
{
    const bool there = program("command -v %s", name) == 0;
    if (!there) print_message("[  SKIPPED ] %s is absent\n", name);
    return there;
}

static void the_manual_is_clean_roff(void **state)
{
    (void)state;
    int tools = 0;
    EXPECT_OK("tpp help --man > tpp.1");
    if (has_tool("groff")) {
        EXPECT_OK("groff -man -ww -Tascii tpp.1");
        assert_string_equal(program_err, "");
        assert_non_null(strstr(program_out, "segment"));
        tools++;
    }
    if (has_tool("mandoc")) {
        const int code = program("mandoc -Tlint -Wwarning tpp.1");
        if (code != 0) fail_msg("%s", program_out);
        tools++;
    }
    if (has_tool("man")) {
        EXPECT_OK("MANROFFSEQ= MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z ./tpp.1 > tpp.out");
        assert_string_equal(program_err, "");
        tools++;
    }
    if (tools == 0) skip();
}

/* ---- completion ---- */

/* Completes the last of `words`; program_out is the answers, sorted, each with a space after it. */
static void complete(const char *words)
{
    const int code =
        program("PATH=%s:$PATH bash -c 'source bash.sh; COMP_WORDS=(%s); "
                "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _tpp && "
                "printf \"%%s\\n\" \"${COMPREPLY[@]}\" | LC_ALL=C sort | tr \"\\n\" \" \"'",
                scratch_folder, words);
    if (code != 0) fail_msg("exit code %d: %s", code, program_err);
    assert_string_equal(program_err, "");
}

static void expect_completion(const char *words, const char *answers)
{
    complete(words);
    if (strcmp(program_out, answers) != 0)
        fail_msg("%s: wanted \"%s\", got \"%s\"", words, answers, program_out);
}

static void bash_completes_from_the_table(void **state)
{
    (void)state;
    EXPECT_OK(
        "tpp help --completion bash > bash.sh && mkdir -p folder && touch file.nii 'two words.nii'"
        " && ln -sf '%s' tpp",
        TPP_PROGRAM);
    expect_completion("tpp se", "segment selftest ");
    expect_completion("tpp weights \"\"", "inspect synth verify ");
    expect_completion("tpp weights synth --co", "--config ");
    expect_completion("tpp segment --algorithm v", "vector ");
    expect_completion("tpp segment -a v", "vector ");
    expect_completion("tpp segment --algorithm = v", "vector ");
    expect_completion("tpp segment --progress \"\"", "auto bar json none plain ");
    expect_completion("tpp segment --window ab", "abdomen ");
    expect_completion("tpp segment --set infer.th", "infer.threshold= ");
    expect_completion("tpp segment -p x", " "); /* a sentence: nothing to offer */
    expect_completion("tpp segment -i f", "file.nii folder ");
    expect_completion("tpp segment -m f", "folder ");
    expect_completion("tpp segment -i tw", "two words.nii ");
    expect_completion("tpp config check fi", "file.nii ");
    expect_completion("tpp help clean", "clean-cache ");
    expect_completion("tpp help --completion \"\"", "bash fish zsh ");
    expect_completion("tpp info left_k", "left_kidney ");
    complete("tpp segment --");
    assert_non_null(strstr(program_out, "--overwrite "));
    assert_null(strstr(program_out, "--seed"));
}

/* Every option of every command is offered. */
static void other_shells_can_read_their_completion(void **state)
{
    (void)state;
    EXPECT_OK("tpp help --completion zsh > _tpp && tpp help --completion fish > tpp.fish && "
              "grep -q '^_tpp_weights_synth() {' _tpp && grep -q -- '-l overwrite' tpp.fish");
    if (has_tool("zsh")) EXPECT_OK("zsh -n _tpp");
    if (has_tool("fish")) EXPECT_OK("fish --no-execute tpp.fish");
}

/* ---- help ---- */

static void help_is_the_same_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < path_count; i++) {
        EXPECT_OK("tpp help %s > a && tpp %s --help > b && cmp a b", paths[i], paths[i]);
        EXPECT_OK("cat a");
        if (strcmp(paths[i], "weights") != 0 && strcmp(paths[i], "config") != 0 &&
            strstr(program_out, "\nexamples:\n  tpp ") == NULL)
            fail_msg("tpp %s: no examples", paths[i]);
    }
    EXPECT_FAILS(2, "did you mean segment?", "tpp help segmnet");
    EXPECT_FAILS(2, "did you mean verify?", "tpp help weights verfy");
    EXPECT_FAILS(2, "one of a command", "tpp help segment --man");
    EXPECT_FAILS(2, "did you mean bash?", "tpp help --completion bach");
    EXPECT_FAILS(2, "did you mean --markdown?", "tpp help --markdwn");
}

static void exit_codes_are_told(void **state)
{
    (void)state;
    EXPECT_OK("tpp --help");
    static const char *const rows[] = {"\n  0  ", "\n  1  ", "\n  2  ",   "\n  3  ",
                                       "\n  4  ", "\n  5  ", "\n  128+N "};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_non_null(strstr(program_out, rows[i]));
    EXPECT_OK("tpp --version");
    assert_non_null(strstr(program_out, "CLBlast (Apache-2.0)"));
}

static void readme_lists_the_commands_as_the_program_does(void **state)
{
    (void)state;
    char *readme = NULL;
    size_t size = 0;
    ASSERT_OK(tpp_file_read(&readme, &size, TPP_SOURCE_DIR "/README.md", (size_t)1 << 20));
    EXPECT_OK("tpp help --markdown");
    if (strstr(readme, program_out) == NULL)
        fail_msg("README.md wants what `tpp help --markdown` prints:\n%s", program_out);
    tpp_free(readme);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_of_every_command_is_in_the_manual),
        cmocka_unit_test(help_fits_a_terminal),
        cmocka_unit_test(the_manual_is_clean_roff),
        cmocka_unit_test(bash_completes_from_the_table),
        cmocka_unit_test(other_shells_can_read_their_completion),
        cmocka_unit_test(help_is_the_same_both_ways),
        cmocka_unit_test(exit_codes_are_told),
        cmocka_unit_test(readme_lists_the_commands_as_the_program_does),
    };
    return cmocka_run_group_tests(tests, find_commands, scratch_teardown);
}
