/* report.html: what stands in it, and how it behaves in a browser (where Chromium is installed).
 * TPP_TEST_PICTURES=PREFIX keeps screenshots.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/path.h"
#include "report_case.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static char *page_text(const char *folder)
{
    char *text = NULL, path[128];
    size_t size = 0;
    (void)snprintf(path, sizeof path, "%s/report.html", folder);
    UNIT_OK(tpp_file_read(&text, &size, in_folder(path), 64 << 20));
    return text;
}

static void write_page(const char *folder, const tpp_geometry *g, int channels, const char *title)
{
    made_case m;
    tpp_out_folder o = {0};
    make_case(&m, g, channels);
    UNIT_OK(tpp_out_folder_open(&o, in_folder(folder), true));
    UNIT_OK(make_page(&m, title, &o));
    UNIT_OK(tpp_out_folder_commit(&o));
    free_case(&m);
}

/* ---- what stands in it ---- */

static int count(const char *text, const char *what)
{
    int n = 0;
    for (const char *p = strstr(text, what); p != NULL; p = strstr(p + 1, what)) n++;
    return n;
}

static void page_holds_everything_and_names_no_address(void **state)
{
    (void)state;
    const tpp_geometry g = case_volume(48, 9);
    write_page("page", &g, 1, "case <1> \"q\" \xff");
    char *text = page_text("page");
    assert_int_equal(count(text, "data:image/png;base64,"), 9);
    assert_int_equal(count(text, "class=\"frame\""), 9);
    assert_int_equal(count(text, "http:") + count(text, "https:"), 0);
    assert_int_equal(count(text, "{{"), 0);
    assert_non_null(strstr(text, "<h1>case &lt;1&gt; &quot;q&quot; ?</h1>"));
    assert_non_null(strstr(text, "Not a medical device."));
    assert_non_null(strstr(text, "Synthetic weights"));
    assert_non_null(strstr(text, "not found (highest score 0.12)"));
    assert_non_null(strstr(text, "h\xc3\xa9patique \xe2\x86\x92 rein"));
    assert_non_null(
        strstr(text, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"));
    assert_non_null(strstr(text, "cpu-haswell &lt;&amp;&gt;"));
    assert_null(strstr(text, "<img src=x"));
    assert_int_equal(count(text, "</script>"), 9 + 2); /* frames, data, the script */
    tpp_free(text);
}

static void same_case_gives_the_same_bytes(void **state)
{
    (void)state;
    const tpp_geometry g = case_volume(32, 5);
    write_page("one", &g, 3, "a");
    write_page("two", &g, 3, "a");
    char *one = page_text("one"), *two = page_text("two");
    assert_string_equal(one, two);
    tpp_free(one);
    tpp_free(two);
}

static void text_cannot_leave_its_place(void **state)
{
    (void)state;
    tpp_str s = {0};
    json_t *j = json_pack("[s]", "</script><!-- & 'q' \"q\" \xe2\x80\xa8");
    tpp_html_add_json(&s, j);
    assert_string_equal(s.text,
                        "[\"\\u003c/script\\u003e\\u003c!-- \\u0026 'q' \\\"q\\\" \\u2028\"]");
    json_decref(j);
    tpp_str_free(&s);
    tpp_html_add_text(&s, "</p> & 'a' \"b\" \xc3\xa9");
    assert_string_equal(s.text, "&lt;/p&gt; &amp; &#39;a&#39; &quot;b&quot; \xc3\xa9");
    tpp_str_free(&s);
}

static void evenly_spaced_frames_with_both_ends(void **state)
{
    (void)state;
    for (int64_t n = 1; n < 60; n++) {
        tpp_out_folder o = {0};
        tpp_html h = {0};
        const tpp_html_info info = {.title = "t",
                                    .height = 4,
                                    .width = 4,
                                    .channels = 1,
                                    .frames = n,
                                    .targets = &case_targets,
                                    .max_frames = 7};
        UNIT_OK(tpp_out_folder_open(&o, in_folder("even"), true));
        UNIT_OK(tpp_html_open(&h, &info, &o));
        int wanted = 0;
        for (int64_t i = 0; i < n; i++) wanted += tpp_html_wants(&h, i);
        assert_int_equal(wanted, n < 7 ? n : 7);
        assert_true(tpp_html_wants(&h, 0) && tpp_html_wants(&h, n - 1));
        tpp_html_close(&h);
        tpp_out_folder_discard(&o);
    }
}

static tpp_thumbnail size_of_page(int height, int width, double row, double column, int64_t frames)
{
    tpp_out_folder o = {0};
    tpp_html h = {0};
    const tpp_html_info info = {.title = "t",
                                .height = height,
                                .width = width,
                                .channels = 1,
                                .frames = frames,
                                .spacing_mm = {row, column},
                                .targets = &case_targets};
    UNIT_OK(tpp_out_folder_open(&o, in_folder("size"), true));
    UNIT_OK(tpp_html_open(&h, &info, &o));
    const tpp_thumbnail t = h.size;
    tpp_html_close(&h);
    tpp_out_folder_discard(&o);
    return t;
}

static void pictures_are_small_and_keep_millimetres(void **state)
{
    (void)state;
    tpp_thumbnail t = size_of_page(100, 80, 0, 0, 1);
    assert_int_equal(t.shown_height, 100);
    assert_int_equal(t.shown_width, 80);
    t = size_of_page(100, 80, 3, 1, 1); /* 300 mm by 80 */
    assert_int_equal(t.shown_height, 300);
    assert_int_equal(t.shown_width, 80);
    t = size_of_page(1024, 2048, 1, 1, 1);
    assert_int_equal(t.shown_height, 256);
    assert_int_equal(t.shown_width, 512);
    t = size_of_page(2048, 2048, 1, 1, 4000); /* 400 of them: 96 MB of pixels */
    assert_in_range(t.shown_width, 490, 512);
}

/* ---- failures ---- */

static void memory_may_end_anywhere(void **state)
{
    (void)state;
    const tpp_geometry g = case_volume(24, 3);
    made_case m;
    tpp_out_folder o = {0};
    tpp_status s = TPP_ENOMEM;
    int n = 0;
    for (; s != TPP_OK && n < 5000; n++) {
        make_case(&m, &g, 1);
        UNIT_OK(tpp_out_folder_open(&o, in_folder("memory"), true));
        tpp_alloc_fail_after(n);
        s = make_page(&m, "t", &o);
        tpp_alloc_fail_after(-1);
        if (s != TPP_OK) assert_int_equal(s, TPP_ENOMEM);
        free_case(&m);
        tpp_out_folder_discard(&o);
    }
    assert_int_equal(s, TPP_OK);
    assert_true(n > 20);
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    const tpp_geometry g = case_volume(48, 9);
    struct rlimit limit;
    made_case m;
    tpp_out_folder o = {0};
    make_case(&m, &g, 1);
    UNIT_OK(tpp_out_folder_open(&o, in_folder("full"), true));
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 20000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const tpp_status s = make_page(&m, "t", &o);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    UNIT_FAILS(s, TPP_EIO, "report.html: cannot write");
    free_case(&m);
    tpp_out_folder_discard(&o);
}

/* ---- in a browser ---- */

static void drive(const char *folder, int64_t frames)
{
    const char *pictures = getenv("TPP_TEST_PICTURES");
    tpp_str s = {0};
    tpp_str_format(&s, "/usr/bin/python3 %s/tests/infer/drive_report.py %s/report.html %d 3",
                   TPP_SOURCE_DIR, in_folder(folder), (int)frames);
    if (pictures != NULL) tpp_str_format(&s, " %s-%s", pictures, folder);
    const int code = system(s.text);
    tpp_str_free(&s);
    if (WIFEXITED(code) && WEXITSTATUS(code) == 77) {
        print_message("[  SKIPPED ] chromium and chromium-driver are not installed\n");
        skip();
    }
    assert_int_equal(code, 0);
}

static void a_volume_is_read_in_a_browser(void **state)
{
    (void)state;
    const tpp_geometry g = case_volume(256, 40);
    write_page("volume", &g, 1, "ct_012");
    drive("volume", 40);
}

static void a_colour_video_is_read_in_a_browser(void **state)
{
    (void)state;
    const tpp_geometry g = {.height = 270, .width = 360, .frames = 60};
    write_page("video", &g, 3, "colonoscopy 7");
    drive("video", 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_holds_everything_and_names_no_address),
        cmocka_unit_test(same_case_gives_the_same_bytes),
        cmocka_unit_test(text_cannot_leave_its_place),
        cmocka_unit_test(evenly_spaced_frames_with_both_ends),
        cmocka_unit_test(pictures_are_small_and_keep_millimetres),
        cmocka_unit_test(memory_may_end_anywhere),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(a_volume_is_read_in_a_browser),
        cmocka_unit_test(a_colour_video_is_read_in_a_browser),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
