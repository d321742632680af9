/* Status codes, and the message that goes with the last failure of this thread.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CORE_STATUS_H
#define TPP_CORE_STATUS_H

#define TPP_STATUS_MAP(X)                                         \
    X(OK, "success")                                              \
    X(EUSAGE, "an option or a configuration value is not valid")  \
    X(ESHAPE, "tensor shapes do not agree")                       \
    X(EIO, "a file could not be read or written")                 \
    X(EFORMAT, "a file does not hold what its format promises")   \
    X(ENOMEM, "memory ran out")                                   \
    X(EDEVICE, "no usable OpenCL device, or the device was lost") \
    X(EDEVMEM, "the device's memory does not suffice")            \
    X(EOPENCL, "an OpenCL call failed")                           \
    X(EKERNEL, "host and kernel disagree about an argument")      \
    X(EUNSUPPORTED, "this build or device cannot do that")        \
    X(EINTERNAL, "an invariant of the program is broken")

#define TPP_STATUS_ENUM(name, text) TPP_##name,
typedef enum tpp_status { TPP_STATUS_MAP(TPP_STATUS_ENUM) TPP_STATUS_COUNT } tpp_status;
#undef TPP_STATUS_ENUM

#define TPP_MUST_CHECK __attribute__((warn_unused_result))

/* Marks what host/tpp.h declares: nothing else can be seen from outside libtpp. */
#define TPP_API __attribute__((visibility("default")))

/* What a status means in general; the facts of a failure are in tpp_error(). */
TPP_API const char *tpp_status_text(tpp_status s);

/* The message of this thread's last failure: what was wanted, what came, where. Never NULL. */
TPP_API const char *tpp_error(void);

/* Keeps the message and returns `s`; `file` and `line` appear in debug logs only. */
tpp_status tpp_fail_at(tpp_status s, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#define TPP_FAIL(s, ...) tpp_fail_at((s), __FILE__, __LINE__, __VA_ARGS__)

#define TPP_TRY(expr)                    \
    do {                                 \
        const tpp_status try_ = (expr);  \
        if (try_ != TPP_OK) return try_; \
    } while (0)

/* For functions with something to release: assigns to `s` and jumps to `label`. */
#define TPP_TRY_OR(label, s, expr)     \
    do {                               \
        (s) = (expr);                  \
        if ((s) != TPP_OK) goto label; \
    } while (0)

#endif
