/* What is installed works somewhere else: programs are built against it with pkg-config and with
 * CMake, Python finds it, and the masks are those of `tpp segment`.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "../cli/pictures.h"
#include "../cli/program.h"

enum { FRAMES = 5, WIDTH = 40, HEIGHT = 30 };

#define SENTENCE "a bright disc that moves"

/* Commands see the moved installation. */
#define INSTALLED                                                                                  \
    "top=$PWD/moved; lib=$(dirname \"$(find \"$top\" -name libtpp.a)\"); "                         \
    "export PKG_CONFIG_PATH=$lib/pkgconfig LD_LIBRARY_PATH=$lib PYTHONPATH=$top/share/tpp/python " \
    "PYTHONDONTWRITEBYTECODE=1; unset TPP_LIBRARY; "
#define CC      TPP_CC " " TPP_CFLAGS " -std=c99 -Wall -Wextra -Wpedantic -Werror "
#define EXAMPLE "moved/share/doc/tpp/examples/segment_frames.c"

#define RUNS(...) EXPECT_OK(INSTALLED __VA_ARGS__)

static void skip_unless(const char *test, const char *why)
{
    if (shell(test) == 0) return;
    print_message("[  SKIPPED ] %s\n", why);
    skip();
}

static void skip_without_shared(void)
{
    skip_unless("ls moved/lib/*/libtpp.so.1 moved/lib/libtpp.so.1 2>/dev/null | grep -q .",
                "built without TPP_SHARED");
}

/* Our own leaks would be found in any process; Python itself is not ours. */
static void skip_without_python(const char *module)
{
    char test[128];
    (void)snprintf(test, sizeof test, "/usr/bin/python3 -c 'import %s'", module);
    skip_without_shared();
    skip_unless("[ -z '" TPP_CFLAGS "' ]", "Python does not load a library with sanitizers");
    skip_unless(test, "/usr/bin/python3 has not the module");
}

/* ---- before the tests ---- */

/* The pictures of write_discs() once more, as PPM. */
static int write_ppm(int frame)
{
    tpp_image image = {0};
    char name[64];
    (void)snprintf(name, sizeof name, "png/%03d.png", frame);
    if (tpp_png_read(&image, scratch(name)) != TPP_OK) return -1;
    (void)snprintf(name, sizeof name, "ppm%03d.ppm", frame);
    FILE *f = fopen(scratch(name), "wb");
    if (f == NULL) return -1;
    const size_t bytes = (size_t)WIDTH * HEIGHT * 3;
    const int ok = fprintf(f, "P6\n%d %d\n255\n", WIDTH, HEIGHT) > 0 &&
                   fwrite(image.pixels, 1, bytes, f) == bytes;
    tpp_image_free(&image);
    return fclose(f) == 0 && ok ? 0 : -1;
}

static int install_setup(void **state)
{
    if (program_setup(state) != 0) return -1;
    if (shell("cmake --install '" TPP_BUILD_DIR "' --prefix \"$PWD/first\" && mv first moved") != 0)
        return -1;
    write_discs("png", FRAMES, 3);
    for (int i = 0; i < FRAMES; i++)
        if (write_ppm(i) != 0) return -1;
    return shell("tpp segment -i png -o segmented --model model -p '" SENTENCE "' && mkdir masks");
}

/* Masks in "masks" are those of `tpp segment`, which are not all the same; "masks" is empty then.
 */
static void assert_masks(void)
{
    static uint8_t file[WIDTH * HEIGHT + 64];
    const size_t pixels = (size_t)WIDTH * HEIGHT;
    size_t inside = 0;
    for (int i = 0; i < FRAMES; i++) {
        tpp_image want = {0};
        char name[64], head[32];
        (void)snprintf(name, sizeof name, "segmented/masks/%03d.png", i);
        ASSERT_OK(tpp_png_read(&want, scratch(name)));
        (void)snprintf(name, sizeof name, "masks/%04d.pgm", i);
        FILE *f = fopen(scratch(name), "rb");
        if (f == NULL) fail_msg("%s was not written", name);
        const size_t size = fread(file, 1, sizeof file, f);
        (void)fclose(f);
        const int n = snprintf(head, sizeof head, "P5\n%d %d\n255\n", WIDTH, HEIGHT);
        assert_int_equal(size, pixels + (size_t)n);
        assert_memory_equal(file, head, (size_t)n);
        assert_memory_equal(file + n, want.pixels, pixels);
        for (size_t p = 0; p < pixels; p++) inside += want.pixels[p] != 0;
        tpp_image_free(&want);
    }
    assert_true(inside > 0 && inside < FRAMES * pixels);
    assert_int_equal(shell("rm masks/*.pgm"), 0);
}

/* ---- the tests ---- */

static void the_header_is_c99_and_cplusplus(void **state)
{
    (void)state;
    static const char program_text[] = "#include <tpp.h>\n"
                                       "int main(void)\n"
                                       "{\n"
                                       "    tpp_tracker_options o = {sizeof(o)};\n"
                                       "    return tpp_api_version() == TPP_API_VERSION && o.size "
                                       "? 0 : 1;\n"
                                       "}\n";
    (void)put_file("header.c", program_text, sizeof program_text - 1);
    RUNS(CC "-Wno-missing-field-initializers -fsyntax-only -Imoved/include header.c");
    skip_unless("command -v g++ || command -v clang++ || command -v clang", "no C++ compiler");
    RUNS("$(command -v g++ || command -v clang++ || command -v clang) -x c++ -std=c++11 -Wall "
         "-Wpedantic -Werror -fsyntax-only -Imoved/include header.c");
}

static void pkg_config_links_the_shared_library(void **state)
{
    (void)state;
    skip_without_shared();
    RUNS(CC EXAMPLE " $(pkg-config --cflags --libs tpp) -o shared && ldd shared | "
                    "grep -q \"libtpp.so.1 => $lib\"");
    RUNS("[ \"$(pkg-config --modversion tpp)\" = " TPP_PROJECT_VERSION " ]");
    RUNS("! pkg-config --libs tpp | grep clblast"); /* nothing else is needed */
    RUNS("./shared model masks '" SENTENCE "' ppm*.ppm");
    assert_masks();
}

static void pkg_config_links_the_static_library(void **state)
{
    (void)state;
    RUNS(CC EXAMPLE " $(pkg-config --static --cflags --libs tpp | sed 's/-ltpp/-l:libtpp.a/') "
                    "-o static && ! ldd static | grep libtpp");
    RUNS("./static model masks '" SENTENCE "' ppm*.ppm");
    assert_masks();
}

static void cmake_finds_both(void **state)
{
    (void)state;
    static const char lists[] = "cmake_minimum_required(VERSION 3.16)\n"
                                "project(other C)\n"
                                "find_package(tpp ${wanted} REQUIRED COMPONENTS ${parts})\n"
                                "add_executable(by_tpp ${example})\n"
                                "target_link_libraries(by_tpp PRIVATE tpp::tpp)\n"
                                "add_executable(by_static ${example})\n"
                                "target_link_libraries(by_static PRIVATE tpp::static)\n";
    ASSERT_OK(tpp_path_make_folder(scratch("other")));
    (void)put_file("other/CMakeLists.txt", lists, sizeof lists - 1);
#define CONFIGURE                                                                               \
    "cmake -S other -B other/build -DCMAKE_PREFIX_PATH=\"$top\" -DCMAKE_C_COMPILER=" TPP_CC " " \
    "-DCMAKE_C_FLAGS='" TPP_CFLAGS "' -Dexample=\"$PWD/" EXAMPLE "\" "
    RUNS(CONFIGURE "-Dwanted=0.1 -Dparts=static && cmake --build other/build");
    RUNS("other/build/by_tpp model masks '" SENTENCE "' ppm*.ppm");
    assert_masks();
    RUNS("other/build/by_static model masks '" SENTENCE "' ppm*.ppm && "
         "! ldd other/build/by_static | grep libtpp");
    assert_masks();
    assert_int_not_equal(program(INSTALLED CONFIGURE "-Dwanted=99 -Dparts=static"), 0);
    assert_int_not_equal(program(INSTALLED CONFIGURE "-Dwanted=0.1 -Dparts=nonsense"), 0);
}

/* Also its own frames, and what it says of a model that is not there. */
static void the_example_draws_a_disc_and_reports_failures(void **state)
{
    (void)state;
    RUNS("[ -e static ] || " CC EXAMPLE
         " $(pkg-config --static --cflags --libs tpp | sed 's/-ltpp/-l:libtpp.a/') -o static");
    RUNS("./static model masks '" SENTENCE "' && [ $(ls masks | wc -l) = 8 ] && rm masks/*");
    assert_int_equal(program(INSTALLED "./static nowhere masks x"), 1);
    assert_non_null(strstr(program_err, "there is no such folder"));
    assert_int_equal(program(INSTALLED "./static model"), 2);
}

/* The blocks of README.md as they stand there, with a model where they look for one. */
static void snippets_of_the_readme_run(void **state)
{
    (void)state;
    skip_without_shared();
    RUNS("mkdir -p out && ln -sfn ../model out/tiny-model");
    RUNS("sed -n '/^```c$/,/^```$/p' '" TPP_SOURCE_DIR
         "/README.md' | grep -v '^```' >readme.c && " CC "-Wno-missing-field-initializers "
         "readme.c $(pkg-config --cflags --libs tpp) -o readme && ./readme");
    assert_non_null(strstr(program_out, "score"));
    skip_without_python("numpy");
    RUNS("sed -n '/^```python$/,/^```$/p' '" TPP_SOURCE_DIR
         "/README.md' | grep -v '^```' >readme.py && /usr/bin/python3 readme.py");
    assert_non_null(strstr(program_out, "score"));
}

static void python_gives_the_same_masks(void **state)
{
    (void)state;
    skip_without_python("numpy");
    RUNS("/usr/bin/python3 -W error '" TPP_SOURCE_DIR
         "/tests/install/masks.py' model masks '" SENTENCE "' ppm*.ppm");
    assert_masks();
    assert_int_not_equal(program(INSTALLED "TPP_LIBRARY=/nowhere.so /usr/bin/python3 -c 'import "
                                           "tpp'"),
                         0);
    assert_non_null(strstr(program_err, "TPP_LIBRARY may name"));
}

/* A volume in an orientation that is not ours, with an odd affine. */
static void nibabel_and_the_program_agree_on_a_volume(void **state)
{
    (void)state;
    static const char make[] =
        "import nibabel, numpy as np\n"
        "x, y, z = np.mgrid[:6, :34, :40]\n"
        "v = (np.where((y - 15)**2 + (z - 22)**2 < 90, 700, 90) + x + y % 5).astype('int16')\n"
        "a = np.array([[0, 0, -1.5, 31], [3, 0, 0, -7], [0, -1.2, 0, 12], [0, 0, 0, 1.0]])\n"
        "nibabel.save(nibabel.Nifti1Image(v, a), 'v.nii.gz')\n";
    static const char compare[] =
        "import nibabel, numpy as np\n"
        "a, b = nibabel.load('nibabel.nii.gz'), nibabel.load('volume/seg.nii.gz')\n"
        "x, y = np.asarray(a.dataobj), np.asarray(b.dataobj)\n"
        "assert x.shape == y.shape == (6, 34, 40) and (x == y).all() and 0 < x.sum() < x.size\n"
        "assert np.allclose(a.affine, b.affine)\n";
    skip_without_python("nibabel");
    (void)put_file("make.py", make, sizeof make - 1);
    (void)put_file("compare.py", compare, sizeof compare - 1);
    RUNS("/usr/bin/python3 make.py && tpp segment -i v.nii.gz -o volume --model model "
         "--axis axial -p '" SENTENCE "' -p 'a ball'");
    RUNS("/usr/bin/python3 moved/share/tpp/python/example_nibabel.py v.nii.gz nibabel.nii.gz model "
         "'" SENTENCE "' 'a ball' && /usr/bin/python3 compare.py");
}

static void the_program_and_its_data_are_installed(void **state)
{
    (void)state;
    RUNS("export TPP_HOME=$top/share/tpp; moved/bin/tpp weights synth --config "
         "moved/share/tpp/configs/tiny.yaml -o made && [ -s made/weights.safetensors ]");
    RUNS("[ -s moved/share/doc/tpp/LICENSE ] && ! grep -r '" TPP_BUILD_DIR
         "' moved/include moved/lib/pkgconfig moved/lib/cmake moved/share");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_is_c99_and_cplusplus),
        cmocka_unit_test(pkg_config_links_the_shared_library),
        cmocka_unit_test(pkg_config_links_the_static_library),
        cmocka_unit_test(cmake_finds_both),
        cmocka_unit_test(the_example_draws_a_disc_and_reports_failures),
        cmocka_unit_test(snippets_of_the_readme_run),
        cmocka_unit_test(python_gives_the_same_masks),
        cmocka_unit_test(nibabel_and_the_program_agree_on_a_volume),
        cmocka_unit_test(the_program_and_its_data_are_installed),
    };
    return cmocka_run_group_tests(tests, install_setup, scratch_teardown);
}
