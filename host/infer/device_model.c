/* The table of GPUs: one row each, with its source. Peaks are at the boost clock, so floors are
 * lower than what a card at its usual clock reaches. Work-groups and local memory are those of the
 * kinds of GPU that tests/vendors/ compiles for.
 * SPDX-License-Identifier: MIT */
#include "infer/device_model.h"

#include <string.h>

enum { KB = 1024 };

/* clang-format off */
static const tpp_device_model models[] = {
    {"mi100",    "AMD Instinct MI100",                23070,  1229,  120,  1,  0,  256,  64 * KB, "AMD, Instinct MI100 data sheet: 23.1 TFLOPS FP32 vector (7680 lanes, 1502 MHz), 1.23 TB/s"},
    {"mi210",    "AMD Instinct MI210",                22630,  1638,  104,  1,  0,  256,  64 * KB, "AMD, Instinct MI210 data sheet: 22.6 TFLOPS FP32 vector (6656 lanes, 1700 MHz), 1.6 TB/s"},
    {"mi250x",   "AMD Instinct MI250X, one die",      23930,  1638,  110,  1,  0,  256,  64 * KB, "AMD, Instinct MI250X data sheet: 47.9 TFLOPS FP32 vector and 3.2 TB/s for two dies"},
    {"mi300x",   "AMD Instinct MI300X",               163400, 5300,  304,  1,  0,  256,  64 * KB, "AMD, Instinct MI300X data sheet: 163.4 TFLOPS FP32 vector, 5.3 TB/s"},
    {"w6800",    "AMD Radeon PRO W6800",              17830,  512,   30,   1,  0,  256,  64 * KB, "AMD, Radeon PRO W6800 page: 17.83 TFLOPS FP32, 512 GB/s; the driver counts pairs of CUs"},
    {"6600xt",   "AMD Radeon RX 6600 XT",             10600,  256,   16,   1,  0,  256,  64 * KB, "AMD, Radeon RX 6600 XT page: 10.6 TFLOPS FP32, 256 GB/s; the driver counts pairs of CUs"},
    {"7900xtx",  "AMD Radeon RX 7900 XTX",            61400,  960,   48,   1,  0,  256,  64 * KB, "AMD, Radeon RX 7900 XTX page: 61.4 TFLOPS FP32 (dual issue), 960 GB/s"},
    {"a770",     "Intel Arc A770 16 GB",              19660,  560,   512,  16, 8,  1024, 64 * KB, "Intel, Arc A770 page: 32 Xe-cores (4096 lanes), 560 GB/s; at 2.4 GHz"},
    {"b580",     "Intel Arc B580",                    13670,  456,   160,  8,  16, 1024, 64 * KB, "Intel, Arc B580 page: 20 Xe-cores (2560 lanes), 2670 MHz, 456 GB/s"},
    {"max1550",  "Intel Data Center GPU Max 1550",    52430,  3277,  1024, 8,  16, 1024, 128 * KB, "Intel, Data Center GPU Max 1550 page: 52.4 TFLOPS FP32, 3276.8 GB/s, both stacks"},
    {"v100",     "NVIDIA V100 SXM2",                  15700,  900,   80,   1,  0,  1024, 48 * KB, "NVIDIA, V100 data sheet: 15.7 TFLOPS FP32, 900 GB/s"},
    {"rtx3090",  "NVIDIA GeForce RTX 3090",           35580,  936,   82,   1,  0,  1024, 48 * KB, "NVIDIA, Ampere GA102 white paper: 35.6 TFLOPS FP32, 936 GB/s"},
    {"rtx4090",  "NVIDIA GeForce RTX 4090",           82580,  1008,  128,  1,  0,  1024, 48 * KB, "NVIDIA, Ada white paper: 82.6 TFLOPS FP32, 1008 GB/s"},
    {"a100",     "NVIDIA A100 SXM 40 GB",             19500,  1555,  108,  1,  0,  1024, 48 * KB, "NVIDIA, A100 data sheet: 19.5 TFLOPS FP32, 1555 GB/s"},
    {"a100-80g", "NVIDIA A100 SXM 80 GB",             19500,  2039,  108,  1,  0,  1024, 48 * KB, "NVIDIA, A100 data sheet: 19.5 TFLOPS FP32, 2039 GB/s"},
    {"h100",     "NVIDIA H100 SXM",                   67000,  3350,  132,  1,  0,  1024, 48 * KB, "NVIDIA, H100 data sheet: 67 TFLOPS FP32, 3.35 TB/s"},
};
/* clang-format on */
enum { MODELS = sizeof(models) / sizeof(models[0]) };

const tpp_device_model *tpp_device_model_at(int i)
{
    return i >= 0 && i < MODELS ? &models[i] : NULL;
}

const char *tpp_device_model_name(int i)
{
    return i >= 0 && i < MODELS ? models[i].name : NULL;
}

const tpp_device_model *tpp_device_model_find(const char *name)
{
    for (int i = 0; i < MODELS; i++)
        if (strcmp(models[i].name, name) == 0) return &models[i];
    return NULL;
}
