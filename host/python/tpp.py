# SPDX-License-Identifier: MIT
"""TPP from Python: sentences and the frames of a sequence in, masks out.

    import tpp
    masks, records = tpp.segment(frames, ["the left kidney"], model="model-folder")

One file over libtpp's C interface (tpp.h), by ctypes and numpy; nothing to build. The library is
looked for in this order: the file that TPP_LIBRARY names, beside this file, in the folders that an
installation or a build puts it in, where the system looks.

A Device and all Sessions on it belong to one thread at a time. Closing a Model or Device that a
Session still needs raises Error.

Research software. Not a medical device. Not for diagnosis or treatment decisions.
"""
import ctypes
import ctypes.util
import os
import pathlib

import numpy as np

__all__ = ["Device", "Error", "Model", "Record", "Session", "devices", "log", "segment", "version",
           "window"]

API_VERSION = 1
STATUS = ("OK EUSAGE ESHAPE EIO EFORMAT ENOMEM EDEVICE EDEVMEM EOPENCL EKERNEL EUNSUPPORTED "
          "EINTERNAL").split()
LEVELS = ("error", "warn", "info", "debug")


class Error(RuntimeError):
    """A call of the library failed. `status` is its name ("EDEVMEM"), `message` what was wanted and
    what came."""

    def __init__(self, status, message):
        super().__init__(f"{message} ({status})")
        self.status = status
        self.message = message


# ---- structs of tpp.h ----


class _Sized(ctypes.Structure):
    """A struct that begins with its size."""

    def __init__(self, **members):
        super().__init__(size=ctypes.sizeof(self), **members)


class _DeviceInfo(_Sized):
    _fields_ = [("size", ctypes.c_size_t), ("memory_bytes", ctypes.c_uint64),
                ("type", ctypes.c_int32), ("compute_units", ctypes.c_int32),
                ("name", ctypes.c_char * 128), ("platform", ctypes.c_char * 128),
                ("driver", ctypes.c_char * 128)]


class _ModelInfo(_Sized):
    _fields_ = [("size", ctypes.c_size_t), ("folder", ctypes.c_char_p),
                ("backbone", ctypes.c_char_p), ("threshold", ctypes.c_double),
                ("min_score", ctypes.c_double), ("is_synthetic", ctypes.c_int32),
                ("num_prompts", ctypes.c_int32), ("short_side", ctypes.c_int32),
                ("max_side", ctypes.c_int32)]


class _TrackerOptions(_Sized):
    _fields_ = [("size", ctypes.c_size_t), ("height", ctypes.c_int32), ("width", ctypes.c_int32),
                ("channels", ctypes.c_int32), ("ahead", ctypes.c_int32),
                ("probabilities", ctypes.c_int32), ("alone", ctypes.c_int32),
                ("algorithm", ctypes.c_char_p)]


class _Result(_Sized):
    _fields_ = [("size", ctypes.c_size_t), ("frame", ctypes.c_int64),
                ("mask", ctypes.POINTER(ctypes.c_uint8)),
                ("logits", ctypes.POINTER(ctypes.c_float)), ("box", ctypes.c_float * 4),
                ("score", ctypes.c_float), ("best", ctypes.c_int32), ("prompt", ctypes.c_int32),
                ("object", ctypes.c_int32)]


# ---- the library ----

_SINK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p)
_HANDLE = ctypes.c_void_p
_INT = ctypes.c_int
_TEXTS = ctypes.POINTER(ctypes.c_char_p)
_FUNCTIONS = {  # name: result, arguments
    "tpp_api_version": (_INT, []),
    "tpp_version": (ctypes.c_char_p, []),
    "tpp_error": (ctypes.c_char_p, []),
    "tpp_log_set": (None, [_INT, _SINK, ctypes.c_void_p]),
    "tpp_devices_count": (_INT, [ctypes.POINTER(_INT)]),
    "tpp_devices_get": (_INT, [_INT, ctypes.POINTER(_DeviceInfo)]),
    "tpp_device_open": (_INT, [ctypes.POINTER(_HANDLE), ctypes.c_char_p]),
    "tpp_device_close": (None, [_HANDLE]),
    "tpp_device_describe": (_INT, [_HANDLE, ctypes.POINTER(_DeviceInfo)]),
    "tpp_model_open": (_INT, [ctypes.POINTER(_HANDLE), ctypes.c_char_p, _TEXTS, _INT]),
    "tpp_model_close": (None, [_HANDLE]),
    "tpp_model_describe": (_INT, [_HANDLE, ctypes.POINTER(_ModelInfo)]),
    "tpp_tracker_open": (_INT, [ctypes.POINTER(_HANDLE), _HANDLE, _HANDLE,
                                ctypes.POINTER(_TrackerOptions)]),
    "tpp_tracker_close": (None, [_HANDLE]),
    "tpp_tracker_add": (_INT, [_HANDLE, _TEXTS, _INT, ctypes.POINTER(_INT)]),
    "tpp_tracker_begin": (_INT, [_HANDLE, _INT, ctypes.c_int64]),
    "tpp_tracker_depth": (_INT, [_HANDLE]),
    "tpp_tracker_push": (_INT, [_HANDLE, ctypes.c_void_p, ctypes.c_size_t]),
    "tpp_tracker_flush": (_INT, [_HANDLE]),
    "tpp_tracker_ready": (_INT, [_HANDLE]),
    "tpp_tracker_take": (_INT, [_HANDLE]),
    "tpp_tracker_result": (_INT, [_HANDLE, _INT, ctypes.POINTER(_Result)]),
    "tpp_tracker_reset": (_INT, [_HANDLE]),
    "tpp_tracker_clear": (None, [_HANDLE]),
}


def _places():
    """Files that may be the library, nearest first."""
    name = f"libtpp.so.{API_VERSION}"
    here = pathlib.Path(__file__).resolve().parent
    yield here / name
    for up in here.parents:  # PREFIX/share/tpp/python, SOURCE/host/python
        yield from sorted(up.glob(f"lib/{name}")) + sorted(up.glob(f"lib/*/{name}"))
        if (up / "host" / "tpp.h").is_file():
            yield from (up / build / name for build in ("build", "build-dev"))


def _load():
    named = os.environ.get("TPP_LIBRARY")
    path = named or next((str(p) for p in _places() if p.is_file()), f"libtpp.so.{API_VERSION}")
    try:
        library = ctypes.CDLL(path)
    except OSError as e:
        raise ImportError(f"{e}; TPP_LIBRARY may name the file libtpp.so.{API_VERSION}") from None
    for function, (result, arguments) in _FUNCTIONS.items():
        getattr(library, function).restype = result
        getattr(library, function).argtypes = arguments
    if library.tpp_api_version() != API_VERSION:
        raise ImportError(f"{path} has interface {library.tpp_api_version()}, wanted {API_VERSION}")
    return library


_lib = _load()


def _check(status):
    if status != 0:
        name = STATUS[status] if 0 <= status < len(STATUS) else str(status)
        raise Error(name, _lib.tpp_error().decode("utf-8", "replace"))


def _misuse(message):
    return Error("EUSAGE", message)


def _texts(texts):
    """An array for C of a sequence of strings, or of one string."""
    encoded = [t.encode() for t in ([texts] if isinstance(texts, str) else texts)]
    if any(b"\0" in t for t in encoded):
        raise _misuse("a text has a NUL in it")
    return (ctypes.c_char_p * len(encoded))(*encoded), len(encoded)


def version():
    """Version of the library: "0.1.0"."""
    return _lib.tpp_version().decode()


_sink = None  # what the library calls must live as long as it may


def log(level="warn", sink=None):
    """Hands log lines up to `level` ("error", "warn", "info", "debug") to `sink(level, module,
    text)`; None: standard error."""
    global _sink

    def call(_context, number, module, text):
        sink(LEVELS[number], module.decode(), text.decode("utf-8", "replace"))

    if level not in LEVELS:
        raise _misuse(f"there is no level {level!r}; there are {', '.join(LEVELS)}")
    made = _SINK(call) if sink is not None else ctypes.cast(None, _SINK)
    _lib.tpp_log_set(LEVELS.index(level), made, None)
    _sink = made


# ---- handles ----


class _Handle:
    """Closed by close(), at the end of a `with` block, or when nothing refers to it any more."""

    _close = None  # name of the C function

    def __init__(self):
        self._handle = _HANDLE()
        self._users = 0

    def _need(self):
        if not self._handle:
            raise _misuse(f"the {type(self).__name__} is closed")
        return self._handle

    def close(self):
        """Frees it. Closing twice is fine."""
        if self._handle and self._users:
            raise _misuse(f"the {type(self).__name__} is in use by {self._users} open Session(s)")
        if self._handle:
            getattr(_lib, self._close)(self._handle)
        self._handle = _HANDLE()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if getattr(self, "_handle", None) and not self._users:
            self.close()


def _device_facts(info):
    return {"name": info.name.decode(), "platform": info.platform.decode(),
            "driver": info.driver.decode(), "type": ("other", "cpu", "gpu")[info.type],
            "memory_bytes": info.memory_bytes, "compute_units": info.compute_units}


def devices():
    """Facts of every OpenCL device, a dict each, in the order of their numbers."""
    count = _INT()
    _check(_lib.tpp_devices_count(count))
    facts = []
    for i in range(count.value):
        info = _DeviceInfo()
        _check(_lib.tpp_devices_get(i, info))
        facts.append(_device_facts(info))
    return facts


class Device(_Handle):
    """An OpenCL device. `spec`: "auto" (a GPU if there is one), a number of devices(), or part of a
    name. Default: what the environment's TPP_DEVICE names, else "auto"."""

    _close = "tpp_device_close"

    def __init__(self, spec=None):
        super().__init__()
        spec = os.environ.get("TPP_DEVICE", "auto") if spec is None else str(spec)
        _check(_lib.tpp_device_open(self._handle, spec.encode()))

    @property
    def info(self):
        """Facts of the device, as a dict."""
        info = _DeviceInfo()
        _check(_lib.tpp_device_describe(self._need(), info))
        return _device_facts(info)


class Model(_Handle):
    """A model folder. `settings` change its configuration: {"infer.min_score": 0}."""

    _close = "tpp_model_close"

    def __init__(self, folder, settings=None):
        super().__init__()
        texts, n = _texts([f"{k}={_text(v)}" for k, v in (settings or {}).items()])
        _check(_lib.tpp_model_open(self._handle, os.fsencode(folder), texts, n))

    @property
    def info(self):
        """Facts of the model, as a dict; "is_synthetic": its masks mean nothing."""
        info = _ModelInfo()
        _check(_lib.tpp_model_describe(self._need(), info))
        facts = {name: getattr(info, name) for name, _ in info._fields_ if name != "size"}
        facts["is_synthetic"] = bool(info.is_synthetic)
        return {k: os.fsdecode(v) if isinstance(v, bytes) else v for k, v in facts.items()}


def _text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


class Record:
    """What was found of one object in one frame, the mask aside.

    frame    number of the frame, from 0
    score    how sure the network is that the object is there, 0 to 1
    box      (centre x, centre y, width, height) in parts of the frame, 0 to 1
    prompt   the sentence that fitted best, from 0
    query    the query that was chosen, from 0
    """

    __slots__ = ("frame", "score", "box", "prompt", "query")

    def __init__(self, r):
        self.frame, self.score, self.box = r.frame, r.score, tuple(r.box)
        self.prompt, self.query = r.prompt, r.best

    def __repr__(self):
        return f"Record(frame={self.frame}, score={self.score:.4f}, box={self.box})"


class Session(_Handle):
    """Finds objects in the frames of a sequence, carrying each from frame to frame.

        with tpp.Session(model, device, 256, 256) as session:
            session.add(["the left kidney"])
            for masks, records in session.run(frames):
                ...                                     # masks[0], records[0]: the first object

    height, width, channels  of every frame; channels 1 (grey) or 3 (RGB)
    ahead                    frames encoded together, 1 to 16
    probabilities            take() returns probabilities (float32, 0 to 1) instead of masks
    alone                    every frame by itself, nothing goes from one to the next
    algorithm                tried first for every op (for tests)
    """

    _close = "tpp_tracker_close"

    def __init__(self, model, device, height, width, channels=1, ahead=1, probabilities=False,
                 alone=False, algorithm=None):
        super().__init__()
        options = _TrackerOptions(height=height, width=width, channels=channels, ahead=ahead,
                                  probabilities=probabilities, alone=alone,
                                  algorithm=algorithm.encode() if algorithm else None)
        self._shape = (height, width) if channels == 1 else (height, width, channels)
        self._probabilities = probabilities
        self._objects = 0
        _check(_lib.tpp_tracker_open(self._handle, model._need(), device._need(), options))
        self._on = (model, device)
        for used in self._on:
            used._users += 1

    def close(self):
        """Frees it, frames in flight included."""
        if self._handle:
            super().close()
            for used in self._on:
                used._users -= 1
            self._on = ()

    def add(self, sentences):
        """Adds an object that 1 to 256 sentences describe, before the first frame; returns its
        number, from 0. The first object of a session uploads the weights."""
        texts, n = _texts(sentences)
        number = _INT()
        _check(_lib.tpp_tracker_add(self._need(), texts, n, number))
        self._objects += 1
        return number.value

    def begin(self, number, frame):
        """Looks for an object from `frame` of this sequence on; its masks before that are empty,
        its records None."""
        _check(_lib.tpp_tracker_begin(self._need(), number, frame))

    @property
    def depth(self):
        """Most frames that may be pushed and not yet taken."""
        return _lib.tpp_tracker_depth(self._need())

    @property
    def ready(self):
        """Is there a frame to take?"""
        return _lib.tpp_tracker_ready(self._need()) == 1

    def push(self, frame):
        """Gives the next frame, uint8 [height, width] or [height, width, 3]; it is copied."""
        frame = np.asarray(frame)
        if frame.shape == (*self._shape, 1):
            frame = frame[..., 0]
        if frame.dtype != np.uint8 or frame.shape != self._shape:
            raise _misuse(f"a frame is uint8 of shape {self._shape}, got {frame.dtype} of "
                          f"{frame.shape}")
        frame = np.ascontiguousarray(frame)
        _check(_lib.tpp_tracker_push(self._need(), frame.ctypes.data, frame.nbytes))

    def flush(self):
        """No more frames for now: starts those that wait for `ahead` to be complete."""
        _check(_lib.tpp_tracker_flush(self._need()))

    def take(self):
        """The oldest frame that was not taken: masks, uint8 [objects, height, width] with 0 and 1
        (with `probabilities` float32), and a Record for each object."""
        handle = self._need()
        _check(_lib.tpp_tracker_take(handle))
        kind = np.float32 if self._probabilities else np.uint8
        masks = np.zeros((self._objects, *self._shape[:2]), kind)
        records = []
        for i in range(self._objects):
            r = _Result()
            _check(_lib.tpp_tracker_result(handle, i, r))
            records.append(Record(r) if r.mask else None)
            if not r.mask:
                continue
            if self._probabilities:
                logits = np.ctypeslib.as_array(r.logits, masks[i].shape)
                masks[i] = 0.5 + 0.5 * np.tanh(0.5 * logits)
            else:
                masks[i] = np.ctypeslib.as_array(r.mask, masks[i].shape)
        return masks, records

    def reset(self):
        """Begins a new sequence with the same objects; frames that were not taken are lost."""
        _check(_lib.tpp_tracker_reset(self._need()))

    def clear(self):
        """Begins a new sequence without objects; the weights stay on the device."""
        _lib.tpp_tracker_clear(self._need())
        self._objects = 0

    def run(self, frames):
        """Takes every frame of an iterable, with as many in flight as can be; yields what take()
        returns, in order."""
        in_flight = 0
        for frame in frames:
            if in_flight == self.depth:
                yield self.take()
                in_flight -= 1
            self.push(frame)
            in_flight += 1
        self.flush()
        for _ in range(in_flight):
            yield self.take()


# ---- the short way ----


def window(volume, low=None, high=None):
    """Intensities to uint8: at or below `low` 0, at or above `high` 255, linear between; what is
    not finite becomes 0. Without the two numbers, what `tpp segment` takes: for CT (a value of -500
    or below) -150 to 250, else the percentiles 0.5 and 99.5 of the voxels that are not zero."""
    volume = np.asarray(volume, np.float32).astype(np.float64)
    finite = np.isfinite(volume)
    counted = volume[finite & (volume != 0)]
    if low is None and counted.size and counted.min() <= -500:
        low, high = -150, 250
    elif low is None:
        low, high = np.percentile(counted, (0.5, 99.5)) if counted.size else (0, 1)
        if not high > low:  # one intensity: white on black
            low = high - 1 if high < 0 else 0
    part = np.where(finite, (np.where(finite, volume, 0) - low) / (high - low), 0)
    return np.floor(np.clip(part, 0, 1) * 255 + 0.5).astype(np.uint8)


def segment(frames, sentences, model, device=None, **options):
    """Segments a sequence.

    frames      uint8, [T, H, W] (grey) or [T, H, W, 3] (RGB)
    sentences   what to look for: a sentence, several of the same object, or {name: sentences} for
                several objects
    model       a Model, or the path of a model folder
    device      a Device, or what Device() takes: None, "auto", a number, part of a name
    options     of Session: ahead, probabilities, alone

    Returns (masks, records): masks uint8 [T, H, W] with 0 and 1, and a Record for each frame; with
    a dict of sentences, dicts of both by name.
    """
    frames = np.asarray(frames)
    if frames.ndim not in (3, 4) or frames.dtype != np.uint8:
        raise _misuse(f"frames are uint8 [T, H, W] or [T, H, W, 3], got {frames.dtype} of shape "
                      f"{frames.shape}; window() makes them from intensities")
    names = list(sentences) if isinstance(sentences, dict) else [None]
    if not names:
        raise _misuse("nothing to look for: the dict of sentences is empty")
    opened = []
    try:
        if not isinstance(model, Model):
            model = Model(model)
            opened.append(model)
        if not isinstance(device, Device):
            device = Device(device)
            opened.append(device)
        channels = frames.shape[3] if frames.ndim == 4 else 1
        session = Session(model, device, frames.shape[1], frames.shape[2], channels, **options)
        opened.append(session)
        for name in names:
            session.add(sentences if name is None else sentences[name])
        found = list(session.run(frames))
    finally:
        for handle in reversed(opened):
            handle.close()
    kind = np.float32 if options.get("probabilities") else np.uint8
    masks = np.array([m for m, _ in found], kind).reshape(-1, len(names), *frames.shape[1:3])
    if names == [None]:
        return masks[:, 0], [r[0] for _, r in found]
    return ({name: masks[:, i] for i, name in enumerate(names)},
            {name: [r[i] for _, r in found] for i, name in enumerate(names)})
