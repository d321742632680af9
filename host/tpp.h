/* The library from outside: sentences and the frames of a sequence in, masks out.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_H
#define TPP_H

#include <stddef.h>
#include <stdint.h>

/** \file tpp.h
 * The interface of libtpp: segmentation of image sequences by sentences, on any OpenCL device.
 *
 *     tpp_device *device = NULL;
 *     tpp_model *model = NULL;
 *     tpp_tracker *tracker = NULL;
 *     tpp_tracker_options options = {.size = sizeof(options)};   // C++: {sizeof(options)}
 *     tpp_device_open(&device, "auto");
 *     tpp_model_open(&model, "model-folder", NULL, 0);
 *     options.height = 256, options.width = 256, options.channels = 1;
 *     tpp_tracker_open(&tracker, model, device, &options);
 *     tpp_tracker_add(tracker, sentences, n_sentences, &object);   // per object
 *     for (each frame) {
 *         tpp_tracker_push(tracker, frame, 256 * 256);
 *         tpp_tracker_take(tracker);
 *         tpp_tracker_result(tracker, object, &result);            // result.mask
 *     }
 *     tpp_tracker_close(tracker), tpp_model_close(model), tpp_device_close(device);
 *
 * **Failures.** A function that can fail returns a ::tpp_status; what it would have written is then
 * untouched, and tpp_error() says what was wanted and what came. Nothing here prints (but see
 * tpp_log_set()) or ends the process.
 *
 * **Ownership.** Pointers that are passed in are borrowed for the call, unless it says "keeps".
 * Handles are opened and closed by the caller; closing NULL is fine. Close trackers before the
 * model and the device that they were opened with.
 *
 * **Threads.** A device, and all trackers on it, belong to one thread at a time: calls on them must
 * not overlap. Trackers on devices that were opened separately (also twice the same device) may run
 * at the same time; one model may serve them all. Part of a frame runs behind a lock of the whole
 * process where the CLBlast library is used. tpp_error() is kept per thread.
 *
 * **Versions.** Structs begin with their size, which the caller sets; so a program that was built
 * with an older header goes on with a newer library.
 *
 * Research software. Not a medical device. Not for diagnosis or treatment decisions. */

/** Number of this interface; it changes when programs must be built anew, and is the number in the
 * library's file name. Compare with tpp_api_version(). */
#define TPP_API_VERSION 1

#ifndef TPP_API
/** Marks what the library gives to other programs. */
#define TPP_API __attribute__((visibility("default")))
#endif

#ifndef TPP_MUST_CHECK
/** The caller looks at what the function returns. */
#define TPP_MUST_CHECK __attribute__((warn_unused_result))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the library ---- */

/** The ::TPP_API_VERSION that the library was built with. */
TPP_API int tpp_api_version(void);

/** Version of the library: "0.1.0". */
TPP_API const char *tpp_version(void);

#ifndef TPP_CORE_STATUS_H /* the library's own files have it from there */
/** How a call ended. */
typedef enum tpp_status {
    TPP_OK = 0,            /**< done */
    TPP_EUSAGE = 1,        /**< an argument or a configuration value is not valid */
    TPP_ESHAPE = 2,        /**< tensor shapes do not agree */
    TPP_EIO = 3,           /**< a file could not be read */
    TPP_EFORMAT = 4,       /**< a file does not hold what its format promises */
    TPP_ENOMEM = 5,        /**< memory ran out */
    TPP_EDEVICE = 6,       /**< no usable OpenCL device, or the device was lost */
    TPP_EDEVMEM = 7,       /**< the device's memory does not suffice */
    TPP_EOPENCL = 8,       /**< an OpenCL call failed */
    TPP_EKERNEL = 9,       /**< host and kernel disagree about an argument: a bug */
    TPP_EUNSUPPORTED = 10, /**< this build or device cannot do that */
    TPP_EINTERNAL = 11     /**< an invariant of the library is broken: a bug, or damaged weights */
} tpp_status;
#endif

/** What a status means in general; "unknown status" for other numbers. Static. */
TPP_API const char *tpp_status_text(tpp_status s);

/** The message of this thread's last failure. Never NULL; valid until this thread's next failure.
 * Of use right after a call that failed: calls that succeed leave it as it was. */
TPP_API const char *tpp_error(void);

#ifndef TPP_CORE_LOG_H
/** How much a log line matters. */
typedef enum tpp_log_level {
    TPP_LOG_ERROR = 0, /**< something was lost */
    TPP_LOG_WARN = 1,  /**< something is odd: a prompt was cut, the weights are synthetic */
    TPP_LOG_INFO = 2,  /**< what was chosen */
    TPP_LOG_DEBUG = 3  /**< for those who work on the library */
} tpp_log_level;

/** Takes a log line: `module` is a short name, `text` has no line end. Both are borrowed for the
 * call, which may come from any thread that calls the library. Must not call the library. */
typedef void tpp_log_sink(void *context, tpp_log_level level, const char *module, const char *text);
#endif

/** Sends log lines up to `level` to `sink`, with `context` handed through; NULL: to standard error,
 * which is also where they go before the first call, up to the level that the environment's TPP_LOG
 * names (else warnings). For the whole process; call it while no other thread is in the library. */
TPP_API void tpp_log_set(tpp_log_level level, tpp_log_sink *sink, void *context);

/* ---- devices ---- */

/** An open OpenCL device. */
typedef struct tpp_device tpp_device;

/** What an OpenCL device is. */
typedef enum tpp_device_type {
    TPP_DEVICE_OTHER = 0, /**< an accelerator */
    TPP_DEVICE_CPU = 1,   /**< a processor */
    TPP_DEVICE_GPU = 2    /**< a graphics processor */
} tpp_device_type;

/** Facts of a device. */
typedef struct tpp_device_info {
    size_t size;           /**< set by the caller: sizeof(tpp_device_info) */
    uint64_t memory_bytes; /**< of the device, for all that use it */
    int32_t type;          /**< a ::tpp_device_type */
    int32_t compute_units; /**< in the sense of OpenCL */
    char name[128];        /**< the device's own */
    char platform[128];    /**< of the OpenCL implementation */
    char driver[128];      /**< version of the driver */
} tpp_device_info;

/** Number of OpenCL devices, which are numbered from 0 as `tpp devices` lists them.
 * ::TPP_EDEVICE when there is none, with the reason in tpp_error(). */
TPP_API TPP_MUST_CHECK tpp_status tpp_devices_count(int *count);

/** Facts of device `index`. ::TPP_EUSAGE when there is no such number. */
TPP_API TPP_MUST_CHECK tpp_status tpp_devices_get(int index, tpp_device_info *out);

/** Opens a device. `spec`: "auto" or NULL (a GPU if there is one, else a CPU), a number as text, or
 * part of a device's or platform's name, letter case aside. ::TPP_EDEVICE: none fits; the message
 * lists what there is. What `tpp tune` found on the device is read with the first object that is
 * added to a tracker on it; the environment's TPP_TUNING names another file, or "none". */
TPP_API TPP_MUST_CHECK tpp_status tpp_device_open(tpp_device **out, const char *spec);

/** Waits for the device and frees it. Every tracker on it must have been closed. */
TPP_API void tpp_device_close(tpp_device *device);

/** Facts of an open device. ::TPP_EUSAGE when `out->size` is not set. */
TPP_API TPP_MUST_CHECK tpp_status tpp_device_describe(const tpp_device *device,
                                                      tpp_device_info *out);

/* ---- models ---- */

/** A model folder: configuration, weights, vocabulary. Bound to no device. */
typedef struct tpp_model tpp_model;

/** Facts of a model. The texts are the model's, until it is closed. */
typedef struct tpp_model_info {
    size_t size;          /**< set by the caller: sizeof(tpp_model_info) */
    const char *folder;   /**< as it was opened */
    const char *backbone; /**< "tiny", "resnet50", ... */
    double threshold;     /**< a pixel belongs to the object from this probability on (0 to 1) */
    double min_score;     /**< frames with a lower score have an empty mask (0 to 1) */
    int32_t is_synthetic; /**< 1: the weights were made by a formula, and masks mean nothing */
    int32_t num_prompts;  /**< sentences an object that the model was made for */
    int32_t short_side;   /**< pixels that the network resizes a frame's shorter side to */
    int32_t max_side;     /**< most pixels of its longer side; 0: no limit */
} tpp_model_info;

/** Opens and checks the model folder at path `folder`. `settings`: `n_settings` texts "key=value"
 * that change the configuration (`tpp config help` lists the keys); NULL with 0. ::TPP_EIO names a
 * file that is missing; ::TPP_EFORMAT or ::TPP_EUSAGE one that does not fit, or a setting. */
TPP_API TPP_MUST_CHECK tpp_status tpp_model_open(tpp_model **out, const char *folder,
                                                 const char *const *settings, int n_settings);

/** Frees a model. Every tracker with it must have been closed. */
TPP_API void tpp_model_close(tpp_model *model);

/** Facts of a model. ::TPP_EUSAGE when `out->size` is not set. */
TPP_API TPP_MUST_CHECK tpp_status tpp_model_describe(const tpp_model *model, tpp_model_info *out);

/* ---- trackers ---- */

/** Finds objects in the frames of a sequence, carrying each from frame to frame. */
typedef struct tpp_tracker tpp_tracker;

/** How a tracker is opened; what is not set is 0. */
typedef struct tpp_tracker_options {
    size_t size;           /**< set by the caller: sizeof(tpp_tracker_options) */
    int32_t height;        /**< of every frame, in pixels; at least 1 */
    int32_t width;         /**< of every frame, in pixels; at least 1 */
    int32_t channels;      /**< 1: grey; 3: red, green, blue */
    int32_t ahead;         /**< frames that are encoded together, 1 to 16; 0 means 1. More is faster
                                on large devices and takes more memory */
    int32_t probabilities; /**< 1: results have logits, four more bytes a pixel */
    int32_t alone;         /**< 1: every frame by itself, nothing goes from one to the next */
    const char *algorithm; /**< tried first for every op (`tpp selftest --help`); NULL: the best */
} tpp_tracker_options;

/** What was found of one object in one frame. */
typedef struct tpp_result {
    size_t size;         /**< set by the caller: sizeof(tpp_result) */
    int64_t frame;       /**< number of the frame, from 0 */
    const uint8_t *mask; /**< [height, width], 1: belongs to the object, else 0. NULL: the frame
                            lies before tpp_tracker_begin(), and what follows is 0. Valid until the
                            next push, reset or clear, or until close */
    const float *logits; /**< [height, width]; 1 / (1 + exp(-x)) is the probability; valid as long
                            as the mask. NULL without options.probabilities */
    float box[4];        /**< centre x, centre y, width, height, in parts of the frame (0 to 1) */
    float score;         /**< how sure the network is that the object is there (0 to 1) */
    int32_t best;        /**< the query that was chosen, from 0 */
    int32_t prompt;      /**< the sentence that fitted best, from 0 */
    int32_t object;      /**< as tpp_tracker_add() numbered it */
} tpp_result;

/** Makes a tracker for frames of one size, without objects. Keeps `model` and `device`.
 * ::TPP_EUSAGE for options out of range. */
TPP_API TPP_MUST_CHECK tpp_status tpp_tracker_open(tpp_tracker **out, tpp_model *model,
                                                   tpp_device *device,
                                                   const tpp_tracker_options *options);

/** Frees a tracker, frames that were not taken included. */
TPP_API void tpp_tracker_close(tpp_tracker *tracker);

/** Adds an object that `n` sentences (UTF-8, 1 to 256) describe, before the first frame of a
 * sequence; *object is its number, from 0. The work that depends on the images is shared by all
 * objects. ::TPP_EDEVMEM when it does not fit the device, with the numbers in tpp_error(). The
 * first object uploads the weights; on a machine's first run kernels are compiled, which can take a
 * minute. After a failure the tracker is as it was. */
TPP_API TPP_MUST_CHECK tpp_status tpp_tracker_add(tpp_tracker *tracker,
                                                  const char *const *sentences, int n, int *object);

/** Objects that were added. */
TPP_API int tpp_tracker_objects(const tpp_tracker *tracker);

/** Looks for `object` from frame `first` of this sequence on (else 0). Before the first push of a
 * sequence; a reset forgets it. ::TPP_EUSAGE. */
TPP_API TPP_MUST_CHECK tpp_status tpp_tracker_begin(tpp_tracker *tracker, int object,
                                                    int64_t first);

/** Most frames that may be pushed and not yet taken: at least 2, and twice `ahead`. */
TPP_API int tpp_tracker_depth(const tpp_tracker *tracker);

/** Gives the next frame, [height, width, channels]; it is copied before the call returns, and the
 * device works on it afterwards. `bytes` must be their product. ::TPP_EUSAGE when
 * tpp_tracker_depth() frames wait to be taken, or no object was added. */
TPP_API TPP_MUST_CHECK tpp_status tpp_tracker_push(tpp_tracker *tracker, const uint8_t *frame,
                                                   size_t bytes);

/** No more frames for now: starts those that wait for `ahead` to be complete. */
TPP_API TPP_MUST_CHECK tpp_status tpp_tracker_flush(tpp_tracker *tracker);

/** 1: tpp_tracker_take() has a frame to take; 0: push more, or flush. */
TPP_API int tpp_tracker_ready(const tpp_tracker *tracker);

/** Takes the oldest frame that was not taken, for all objects; waits for the device.
 * ::TPP_EUSAGE when there is none to take (tpp_tracker_ready()); ::TPP_EINTERNAL when the network's
 * result is not finite, which damaged weights cause. After ::TPP_EOPENCL or ::TPP_EDEVICE the
 * tracker takes only tpp_tracker_clear() and tpp_tracker_close(). */
TPP_API TPP_MUST_CHECK tpp_status tpp_tracker_take(tpp_tracker *tracker);

/** What the frame taken last holds of `object`. ::TPP_EUSAGE when no frame was taken, there is no
 * such object, or `out->size` is not set. */
TPP_API TPP_MUST_CHECK tpp_status tpp_tracker_result(const tpp_tracker *tracker, int object,
                                                     tpp_result *out);

/** Begins a new sequence with the same objects; frames that were not taken are lost. */
TPP_API TPP_MUST_CHECK tpp_status tpp_tracker_reset(tpp_tracker *tracker);

/** Begins a new sequence without objects, for others to be added; the weights stay on the device.
 */
TPP_API void tpp_tracker_clear(tpp_tracker *tracker);

#ifdef __cplusplus
}
#endif

#endif
