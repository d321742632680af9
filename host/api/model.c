/* Model folders, as tpp.h gives them.
 * SPDX-License-Identifier: MIT */
#include "api/api_internal.h"
#include "core/mem.h"

enum { FIRST_SIZE = sizeof(tpp_model_info) };

tpp_status tpp_model_open(tpp_model **out, const char *folder, const char *const *settings,
                          int n_settings)
{
    tpp_model *m = NULL;
    if (folder == NULL || n_settings < 0 || (settings == NULL && n_settings > 0))
        return TPP_FAIL(TPP_EUSAGE, "a folder is wanted, and %d settings", n_settings);
    TPP_NEW(m, 1);
    const tpp_status s = tpp_model_folder_open(&m->folder, folder, settings, (size_t)n_settings);
    if (s != TPP_OK) {
        tpp_free(m);
        return s;
    }
    if (m->folder.is_synthetic)
        tpp_log(TPP_LOG_WARN, "model", "%s: the weights are synthetic; the masks mean nothing",
                folder);
    *out = m;
    return TPP_OK;
}

void tpp_model_close(tpp_model *m)
{
    if (m == NULL) return;
    tpp_model_folder_close(&m->folder);
    tpp_free(m);
}

tpp_status tpp_model_describe(const tpp_model *m, tpp_model_info *out)
{
    const struct tpp_model_config *c = &m->folder.config;
    const tpp_model_info info = {.folder = m->folder.path,
                                 .backbone = tpp_backbone_text(c->backbone.name),
                                 .threshold = c->infer.threshold,
                                 .min_score = c->infer.min_score,
                                 .is_synthetic = m->folder.is_synthetic,
                                 .num_prompts = c->text.num_prompts,
                                 .short_side = c->infer.short_side,
                                 .max_side = c->infer.max};
    return tpp_api_write(out, &info, sizeof(info), FIRST_SIZE, "tpp_model_info");
}
