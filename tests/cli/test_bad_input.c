/* Bad input: each one ends with its exit code and a message that says what is wrong with what, and
 * nothing partial is left.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "pictures.h"
#include "program.h"

#include <math.h>
#include <zlib.h>

enum { FAILED = 1, USAGE = 2, DEVICE = 4, MEMORY = 5 };

/* A run over `input`, all else being right. */
#define SEGMENT(input) "tpp segment -i " input " -o out -m model -p 'a disc'"

/* ---- options ---- */

static void options_are_checked(void **state)
{
    (void)state;
    write_disc("ok.png", 40, 30, 1, 0);
    EXPECT_FAILS(USAGE, "usage: tpp COMMAND", "tpp");
    EXPECT_FAILS(USAGE, "did you mean segment?", "tpp segmnt");
    EXPECT_FAILS(USAGE, "did you mean synth?", "tpp weights sinth");
    EXPECT_FAILS(USAGE, "did you mean --ahead?", SEGMENT("ok.png") " --ahed 2");
    EXPECT_FAILS(USAGE, "no option -y", SEGMENT("ok.png") " -y");
    EXPECT_FAILS(USAGE, "--ahead wants an integer from 1 to 16", SEGMENT("ok.png") " -b 17");
    EXPECT_FAILS(USAGE, "--ahead wants B", SEGMENT("ok.png") " --ahead");
    EXPECT_FAILS(USAGE, "--quiet takes no value", SEGMENT("ok.png") " --quiet=1");
    EXPECT_FAILS(USAGE, "--threshold wants a number from 0 to 1", SEGMENT("ok.png") " -t nan");
    EXPECT_FAILS(USAGE, "\"more\" is no option; what to read stands after --input",
                 SEGMENT("ok.png") " more");
    EXPECT_FAILS(USAGE, "got \"xray\"\n", SEGMENT("ok.png") " --modality xray");
    EXPECT_FAILS(USAGE, "nothing to look for",
                 "tpp segment -i ok.png -o out -m model --modality CT");
    EXPECT_FAILS(USAGE, "--input is wanted", "tpp segment -o out -m model -p x");
    EXPECT_FAILS(USAGE, "--output is wanted", "tpp segment -i ok.png -m model -p x");
    EXPECT_FAILS(USAGE, "--model is wanted", "tpp segment -i ok.png -o out -p x");
    EXPECT_FAILS(USAGE, "nothing to look for", "tpp segment -i ok.png -o out -m model");
    EXPECT_FAILS(USAGE, "no op has an algorithm called quick", SEGMENT("ok.png") " -a quick");
    EXPECT_FAILS(USAGE, "--ahead 1", SEGMENT("ok.png") " --dump d.safetensors -b 2");
    EXPECT_FAILS(USAGE, "--window is for volumes", SEGMENT("ok.png") " -w lung");
}

static void help_is_no_failure(void **state)
{
    (void)state;
    static const char *const commands[] = {"",
                                           "segment",
                                           "devices",
                                           "weights",
                                           "weights synth",
                                           "weights inspect",
                                           "weights verify",
                                           "config",
                                           "config dump",
                                           "config check",
                                           "plan",
                                           "bench",
                                           "selftest"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        EXPECT_OK("tpp %s --help", commands[i]);
        assert_non_null(strstr(program_out, "usage: tpp"));
        assert_string_equal(program_err, "");
    }
    EXPECT_OK("tpp --version");
    assert_non_null(strstr(program_out, "Not a medical device"));
}

/* ---- files and folders ---- */

static void missing_and_unreadable_input(void **state)
{
    (void)state;
    EXPECT_FAILS(USAGE, "nowhere.nii: there is no such file", SEGMENT("nowhere.nii"));
    ASSERT_OK(tpp_path_make_folder(scratch("empty")));
    EXPECT_FAILS(USAGE, "empty: the folder is empty", SEGMENT("empty"));
    put_file("notes.txt", "hello", 5);
    EXPECT_FAILS(USAGE, "notes.txt: wanted a volume", SEGMENT("notes.txt"));
    EXPECT_OK("mkdir -p sub/a.png.d && ln -sf nowhere sub/b.png");
    EXPECT_FAILS(USAGE, "sub", SEGMENT("sub"));
    if (geteuid() != 0) { /* root reads everything */
        write_disc("closed.png", 40, 30, 1, 0);
        EXPECT_OK("chmod 0 closed.png");
        EXPECT_FAILS(USAGE, "closed.png", SEGMENT("closed.png"));
    }
    EXPECT_OK("ln -sf /dev/zero z.nii");
    EXPECT_FAILS(USAGE, "z.nii", SEGMENT("z.nii"));
}

static void frames_of_different_sizes(void **state)
{
    (void)state;
    ASSERT_OK(tpp_path_make_folder(scratch("odd")));
    write_disc("odd/1.png", 40, 30, 1, 0);
    write_disc("odd/2.png", 40, 31, 1, 0);
    EXPECT_FAILS(USAGE, "2.png is 31x40 (height x width), 1.png before it is 30x40",
                 SEGMENT("odd"));
}

static void results_that_cannot_be_written(void **state)
{
    (void)state;
    write_disc("ok.png", 40, 30, 1, 0);
    EXPECT_FAILS(USAGE, "results go into a folder",
                 "tpp segment -i ok.png -o ok.png -m model -p x");
    EXPECT_FAILS(USAGE, "cannot make the folder",
                 "tpp segment -i ok.png -o ok.png/out -m model -p x");
    EXPECT_FAILS(USAGE, "nowhere/d.safetensors", SEGMENT("ok.png") " --dump nowhere/d.safetensors");
}

/* ---- NIfTI ---- */

static void broken_volumes(void **state)
{
    (void)state;
    uint8_t ramp[48];
    make_ramp(ramp, 24, false);
    maker m = make_default();
    make_file("short.nii", &m, ramp, 40);
    EXPECT_FAILS(USAGE, "short.nii", SEGMENT("short.nii"));
    m.dim[1] = 30000;
    make_file("dim.nii", &m, ramp, 48);
    EXPECT_FAILS(USAGE, "dim.nii", SEGMENT("dim.nii"));
    m = make_default();
    m.dim[0] = 200;
    make_file("rank.nii", &m, ramp, 48);
    EXPECT_FAILS(USAGE, "rank.nii", SEGMENT("rank.nii"));
    m = make_default();
    m.vox_offset = 1e9;
    make_file("offset.nii", &m, ramp, 48);
    EXPECT_FAILS(USAGE, "offset.nii", SEGMENT("offset.nii"));
    m = make_default();
    m.vox_offset = (double)NAN;
    make_file("offnan.nii", &m, ramp, 48);
    EXPECT_FAILS(USAGE, "offnan.nii", SEGMENT("offnan.nii"));
    m = make_default();
    m.datatype = 7777;
    make_file("type.nii", &m, ramp, 48);
    EXPECT_FAILS(USAGE, "type.nii", SEGMENT("type.nii"));
    put_file("noise.nii", "no header at all", 16);
    EXPECT_FAILS(USAGE, "noise.nii", SEGMENT("noise.nii"));
}

static void zero_and_singular_affines(void **state)
{
    (void)state;
    uint8_t ramp[48];
    make_ramp(ramp, 24, false);
    maker m = make_default();
    memset(m.srow, 0, sizeof m.srow);
    make_file("zero.nii", &m, ramp, 48);
    EXPECT_FAILS(USAGE, "zero.nii", SEGMENT("zero.nii"));
    m = make_default();
    m.srow[4] = 2; /* row 1 is row 0 */
    m.srow[5] = 0;
    make_file("singular.nii", &m, ramp, 48);
    EXPECT_FAILS(USAGE, "singular.nii", SEGMENT("singular.nii"));
}

static void broken_gzip(void **state)
{
    (void)state;
    enum { ENDLESS = 64 << 20 };
    uint8_t ramp[48];
    make_ramp(ramp, 24, false);
    const maker m = make_default();
    uint8_t *bytes = tpp_calloc(ENDLESS, 1);
    const size_t n = make_bytes(bytes, &m, ramp, sizeof ramp);
    make_gzip("whole.nii.gz", bytes, n);
    EXPECT_OK("head -c 100 whole.nii.gz > cut.nii.gz");
    EXPECT_FAILS(USAGE, "cut.nii.gz", SEGMENT("cut.nii.gz"));
    memset(bytes + n, 'x', ENDLESS - n); /* goes on and on behind what the header promises */
    make_gzip("endless.nii.gz", bytes, ENDLESS);
    tpp_free(bytes);
    EXPECT_FAILS(USAGE, "endless.nii.gz", SEGMENT("endless.nii.gz"));
}

/* ---- PNG ---- */

static void broken_pictures(void **state)
{
    (void)state;
    size_t size = 0;
    write_discs("broken", 4, 1);
    uint8_t *bytes = get_file(scratch("broken/002.png"), &size);
    bytes[size / 2] ^= 0x40;
    put_file("broken/002.png", bytes, size);
    EXPECT_FAILS(USAGE, "002.png", SEGMENT("broken"));
    put_file("cut.png", bytes, size / 3);
    EXPECT_FAILS(USAGE, "cut.png", SEGMENT("cut.png"));
    put_file("text.png", "this is no picture, whatever it is called", 41);
    EXPECT_FAILS(USAGE, "text.png: neither a PNG nor a JPEG file", SEGMENT("text.png"));
    tpp_free(bytes);
}

static void a_picture_that_is_too_large(void **state)
{
    (void)state;
    uint8_t png[64] = {137, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13, 'I', 'H', 'D', 'R'};
    tpp_bytes_put(png + 16, 20000, 4, true);
    tpp_bytes_put(png + 20, 20000, 4, true);
    png[24] = 8;
    tpp_bytes_put(png + 29, crc32(0, png + 12, 17), 4, true);
    memcpy(png + 37, "IDAT", 4);
    put_file("large.png", png, sizeof png);
    EXPECT_FAILS(USAGE, "20000 x 20000 pixels", SEGMENT("large.png"));
}

/* ---- prompts ---- */

static void prompts_that_are_none(void **state)
{
    (void)state;
    write_disc("ok.png", 40, 30, 1, 0);
    EXPECT_FAILS(USAGE, "prompt 1", "tpp segment -i ok.png -o out -m model -p ''");
    EXPECT_FAILS(USAGE, "prompt 2", SEGMENT("ok.png") " -p ' \t '");
    EXPECT_FAILS(USAGE, "UTF-8", SEGMENT("ok.png") " -p \"$(printf 'a\\377b')\"");
}

/* ---- models ---- */

static void broken_model_folders(void **state)
{
    (void)state;
    write_disc("ok.png", 40, 30, 1, 0);
    EXPECT_FAILS(USAGE, "nowhere: there is no such folder",
                 "tpp segment -i ok.png -o out -m nowhere -p x");
    EXPECT_OK("rm -rf bare && mkdir bare && cp model/model.yaml model/merges.txt bare");
    EXPECT_FAILS(USAGE, "bare: the model folder lacks weights.safetensors, vocab.json",
                 "tpp segment -i ok.png -o out -m bare -p x");
    EXPECT_OK("rm -rf typo && cp -r model typo && echo 'infre:' >> typo/model.yaml && "
              "echo '  short: 32' >> typo/model.yaml");
    EXPECT_FAILS(USAGE, "typo/model.yaml:", "tpp segment -i ok.png -o out -m typo -p x");
    assert_non_null(strstr(program_err, "infer.short"));
    EXPECT_FAILS(USAGE, "infer.short", SEGMENT("ok.png") " --set infer.shrt=64");
    EXPECT_FAILS(USAGE, "infer.short", SEGMENT("ok.png") " --set infer.short=many");
    EXPECT_FAILS(USAGE, "2000 tokens, text.vocab is 100",
                 "tpp weights synth -o out --vocab model " MICRO_SET " -s text.vocab=100");
    EXPECT_FAILS(USAGE, "nowhere", "tpp weights synth -o out --vocab nowhere");
}

static void weights_of_another_configuration(void **state)
{
    (void)state;
    write_disc("ok.png", 40, 30, 1, 0);
    EXPECT_FAILS(USAGE, "model/weights.safetensors: not the weights of this configuration",
                 SEGMENT("ok.png") " --set model.hidden=64");
    assert_non_null(strstr(program_err, "wanted ["));
    EXPECT_FAILS(USAGE, "backbone.0.body.", SEGMENT("ok.png") " --set backbone.name=resnet50");
    EXPECT_FAILS(USAGE, "swin_t is not in this version",
                 SEGMENT("ok.png") " --set backbone.name=swin_t");
}

/* Writes a safetensors header as it stands, and `size` bytes of data, into a copy of the model. */
static void put_weights(const char *header, size_t size)
{
    uint8_t bytes[1024] = {0};
    const size_t n = strlen(header);
    tpp_bytes_put(bytes, n, 8, false);
    memcpy(bytes + 8, header, n);
    EXPECT_OK("rm -rf bad && cp -r model bad");
    put_file("bad/weights.safetensors", bytes, 8 + n + size);
}

static void lying_weights(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t size;
    } files[] = {
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
         12}, /* a hole */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         8}, /* an overlap */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[0,4]}}", 4},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[100],\"data_offsets\":[0,400]}}", 4},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],"
         "\"data_offsets\":[0,0]}}",
         0},
        {"{\"a\":", 0},
    };
    write_disc("ok.png", 40, 30, 1, 0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        put_weights(files[i].header, files[i].size);
        EXPECT_FAILS(USAGE, "bad/weights.safetensors", "tpp segment -i ok.png -o out -m bad -p x");
        EXPECT_FAILS(USAGE, "bad/weights.safetensors", "tpp weights verify bad");
        EXPECT_FAILS(USAGE, "bad/weights.safetensors", "tpp weights inspect bad");
    }
    EXPECT_OK("rm -rf bad && cp -r model bad && : > bad/weights.safetensors");
    EXPECT_FAILS(USAGE, "bad/weights.safetensors", "tpp segment -i ok.png -o out -m bad -p x");
}

/* ---- devices ---- */

static void no_platform_and_no_such_device(void **state)
{
    (void)state;
    write_disc("ok.png", 40, 30, 1, 0);
    EXPECT_FAILS(DEVICE, "tpp segment:",
                 "OCL_ICD_VENDORS=/nonexistent; export OCL_ICD_VENDORS; " SEGMENT("ok.png"));
    EXPECT_FAILS(DEVICE, "tpp devices:",
                 "OCL_ICD_VENDORS=/nonexistent; export OCL_ICD_VENDORS; tpp devices");
    EXPECT_FAILS(DEVICE, "unobtainium", SEGMENT("ok.png") " --device unobtainium");
    EXPECT_FAILS(DEVICE, "unobtainium",
                 "TPP_DEVICE=unobtainium; export TPP_DEVICE; " SEGMENT("ok.png"));
}

/* PoCL is told to report one gigabyte; the picture would need more. Other drivers do not know the
 * variable, so that this test wants PoCL. */
static void device_memory_is_checked_before_the_run(void **state)
{
    (void)state;
    write_disc("ok.png", 1, 1, 1, 0);
    EXPECT_OK("tpp devices");
    if (strstr(program_out, "Portable Computing Language") == NULL) {
        print_message("[  SKIPPED ] no PoCL\n");
        skip();
    }
    EXPECT_FAILS(MEMORY, "infer.short",
                 "POCL_MEMORY_LIMIT=1; export POCL_MEMORY_LIMIT; " SEGMENT(
                     "ok.png") " -d Portable -s infer.short=3200 -s infer.max=0");
    assert_non_null(strstr(program_err, "MB"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(options_are_checked, start_clean),
        cmocka_unit_test_setup(help_is_no_failure, start_clean),
        cmocka_unit_test_setup(missing_and_unreadable_input, start_clean),
        cmocka_unit_test_setup(frames_of_different_sizes, start_clean),
        cmocka_unit_test_setup(results_that_cannot_be_written, start_clean),
        cmocka_unit_test_setup(broken_volumes, start_clean),
        cmocka_unit_test_setup(zero_and_singular_affines, start_clean),
        cmocka_unit_test_setup(broken_gzip, start_clean),
        cmocka_unit_test_setup(broken_pictures, start_clean),
        cmocka_unit_test_setup(a_picture_that_is_too_large, start_clean),
        cmocka_unit_test_setup(prompts_that_are_none, start_clean),
        cmocka_unit_test_setup(broken_model_folders, start_clean),
        cmocka_unit_test_setup(weights_of_another_configuration, start_clean),
        cmocka_unit_test_setup(lying_weights, start_clean),
        cmocka_unit_test_setup(no_platform_and_no_such_device, start_clean),
        cmocka_unit_test_setup(device_memory_is_checked_before_the_run, start_clean),
    };
    return cmocka_run_group_tests(tests, program_setup, scratch_teardown);
}
