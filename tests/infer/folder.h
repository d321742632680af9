/* A folder for a test's files that goes away with it, and the smallest model's configuration.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_INFER_FOLDER_H
#define TPP_TESTS_INFER_FOLDER_H

#include "config/model_config.h"
#include "unit.h"

#include <unistd.h>

static char test_folder[64];

/* For cmocka_run_group_tests: makes the folder, removes it. */
static inline int folder_setup(void **state)
{
    (void)state;
    (void)snprintf(test_folder, sizeof test_folder, "/tmp/tpp-infer-XXXXXX");
    return mkdtemp(test_folder) == NULL ? -1 : 0;
}

static inline int folder_teardown(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", test_folder);
    return system(command);
}

/* Path of `name` in the folder; eight results stay valid at a time. */
static inline const char *in_folder(const char *name)
{
    static char paths[8][192];
    static unsigned next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s/%s", test_folder, name);
    return path;
}

/* Sizes of the reference's forward_micro. */
static const char *const micro_settings[] = {
    "backbone.name=tiny", "model.hidden=32", "model.heads=4",     "model.ffn=64",
    "model.enc_layers=1", "text.hidden=32",  "model.mask_dim=32", "model.dec_layers=1",
    "text.layers=1",      "text.heads=2",    "text.ffn=64",       "text.vocab=2000",
    "infer.short=32",     "infer.max=64"};
enum { MICRO_SETTINGS = sizeof micro_settings / sizeof micro_settings[0] };

static inline struct tpp_model_config micro_config(void)
{
    struct tpp_model_config c;
    UNIT_OK(tpp_model_config_read(&c, NULL, micro_settings, MICRO_SETTINGS));
    return c;
}

#endif
