/* Fuzz target: any bytes as a DICOM file end in a volume or in a message.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/log.h"
#include "io/dicom.h"
#include "io/volume_file.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    if (path[0] == '\0') {
        tpp_log_set(TPP_LOG_ERROR, NULL, NULL);
        (void)snprintf(path, sizeof path, "/dev/shm/tpp-fuzz-dicom-%ld", (long)getpid());
    }
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, data, size) != (ssize_t)size || close(file) != 0) abort();
    tpp_volume v = {0};
    const tpp_volume_options o = {.max_bytes = 16 << 20, .time = 0};
    (void)tpp_dicom_is(path);
    if (tpp_dicom_read(&v, path, &o) == TPP_OK) tpp_volume_free(&v);
    (void)unlink(path);
    return 0;
}
