"""What the gate compiles with: AMD (clang and ROCm's device libraries), Intel (ocloc) and NVIDIA
(clang, libclc and ptxas). Each turns one program into numbers of its kernels.

SPDX-License-Identifier: MIT
"""
import collections
import glob
import os
import re
import shutil
import struct
import subprocess

NUMBERS = ("registers", "scalars", "spills", "scratch", "lds", "width", "occupancy")

# One program of the library: cl_kernels/<file>.cl with build options, for targets of a pattern;
# groups: kernel -> work-items.
Program = collections.namedtuple("Program", "targets file options groups")


def base_options(program):
    """Of host/cl/program.c."""
    language = [] if "-cl-std=" in program.options else ["-cl-std=CL1.2"]
    return [*language, "-cl-kernel-arg-info"]


class CompileError(Exception):
    """The text is the compiler's first error."""


class Result(dict):
    """Numbers of a kernel by name (README.md says the units); `status` "ok", or why there are none."""

    def __init__(self, status="ok", **numbers):
        super().__init__({name: numbers.get(name, "") for name in NUMBERS}, status=status)


def run(command, **more):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False, **more)
    return done.returncode, done.stdout


def first_error(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        if re.search(r"\b(error|fatal)\b", line, re.IGNORECASE) and "remark:" not in line:
            return line
    return lines[-1] if lines else "the compiler said nothing"


def clang_version(clang):
    return run([clang, "--version"])[1].splitlines()[0]


class Clang:
    """What AMD and NVIDIA share: clang-15, whose code generators print what a kernel needs."""

    def __init__(self, kernels, tools):
        self.kernels, self.tools = kernels, tools
        self.clang = shutil.which("clang-15")

    def clang_run(self, program, target_options, libraries, out):
        command = [self.clang, "-x", "cl", *base_options(program), "-Xclang", "-finclude-default-header",
                   "-nogpulib", "-Wno-linker-warnings", "-fno-caret-diagnostics",
                   "-I" + self.kernels, *target_options, *program.options.split()]
        for library in libraries:
            command += ["-Xclang", "-mlink-builtin-bitcode", "-Xclang", library]
        command += ["-O3", "-S", os.path.join(self.kernels, program.file + ".cl"), "-o", out]
        status, text = run(command)
        if status != 0:
            raise CompileError(first_error(text))
        return text


class Amd(Clang):
    vendor, targets = "AMD", ("gfx906", "gfx90a", "gfx1030", "gfx1100")
    REMARKS = {"SGPRs": "scalars", "VGPRs": "registers", "AGPRs": "accumulators",
               "ScratchSize [bytes/lane]": "scratch", "Occupancy [waves/SIMD]": "occupancy",
               "SGPRs Spill": "scalar_spills", "VGPRs Spill": "spills",
               "LDS Size [bytes/block]": "lds"}

    def __init__(self, kernels, tools, work):
        super().__init__(kernels, tools)
        self.work = work
        self.bitcode = os.path.join(tools, "usr/lib/x86_64-linux-gnu/amdgcn/bitcode")

    def missing(self):
        if self.clang is None:
            return "no clang-15"
        return None if os.path.isdir(self.bitcode) else "no ROCm device libraries in " + self.tools

    def version(self, packages):
        return f"{clang_version(self.clang)}, rocm-device-libs {packages.get('rocm-device-libs')}"

    def prepare(self):
        """The libraries of ROCm 5.2 end at gfx1036; what tells them the ISA is one constant."""
        self.isa_1100 = os.path.join(self.work, "isa_1100.bc")
        source = self.isa_1100 + ".ll"
        with open(source, "w", encoding="ascii") as f:
            f.write("@__oclc_ISA_version = linkonce_odr hidden local_unnamed_addr addrspace(4) "
                    "constant i32 11000, align 4\n")
        status, text = run([self.clang, "-x", "ir", "-target", "amdgcn-amd-amdhsa", "-nogpulib",
                            "-emit-llvm", "-Wno-override-module", "-c", source, "-o",
                            self.isa_1100])
        if status != 0:
            raise CompileError(first_error(text))

    def libraries(self, target):
        """Every one of them is linked: an unknown function would be a call, with made-up scratch."""
        number = target[3:]
        wave64 = "on" if number.startswith("9") else "off"
        names = ["opencl", "ocml", "ockl", "oclc_daz_opt_off", "oclc_unsafe_math_off",
                 "oclc_finite_only_off", "oclc_correctly_rounded_sqrt_off",
                 "oclc_wavefrontsize64_" + wave64, "oclc_abi_version_400"]
        paths = [os.path.join(self.bitcode, name + ".bc") for name in names]
        isa = os.path.join(self.bitcode, f"oclc_isa_version_{number}.bc")
        return paths + [isa if os.path.exists(isa) else self.isa_1100]

    def compile(self, program, target, work):
        text = self.clang_run(program, ["-target", "amdgcn-amd-amdhsa", "-mcpu=" + target,
                                        "-Rpass-analysis=kernel-resource-usage"],
                              self.libraries(target), os.path.join(work, "k.s"))
        found, now = {}, {}
        for name, value in re.findall(r"remark:\s+(.+?): (\S+) \[-Rpass-analysis", text):
            if name == "Function Name":
                now = found.setdefault(value, {})
            elif name in self.REMARKS:
                now[self.REMARKS[name]] = int(value)
        return {k: self.result(n, target) for k, n in found.items() if k in program.groups}

    @staticmethod
    def result(n, target):
        return Result(registers=n["registers"] + n.get("accumulators", 0), scalars=n["scalars"],
                      spills=n["spills"] + n["scalar_spills"], scratch=n["scratch"], lds=n["lds"],
                      width=64 if target[3:].startswith("9") else 32, occupancy=n["occupancy"])


class Intel:
    vendor, targets = "Intel", ("skl", "tgllp", "acm-g10", "pvc")
    LANES = {"skl": 8, "tgllp": 8, "acm-g10": 8, "pvc": 16}  # as the host passes them (program.c)
    # (EUs that share local memory, its bytes, threads of an EU with 128 registers), Intel's
    # optimisation guides: subslice, dual subslice, Xe-core, Xe-core.
    SHARED = {"skl": (8, 65536, 7), "tgllp": (16, 131072, 7), "acm-g10": (16, 131072, 8),
              "pvc": (8, 131072, 8)}

    def __init__(self, kernels, tools, work):
        del work
        self.kernels, self.tools = kernels, tools
        self.ocloc = os.path.join(tools, "usr/bin/ocloc")
        self.environment = dict(os.environ, LD_LIBRARY_PATH=os.path.join(
            tools, "usr/lib/x86_64-linux-gnu"))

    def missing(self):
        if not os.path.exists(self.ocloc):
            return "no ocloc in " + self.tools
        status, text = run([self.ocloc, "query", "OCL_DRIVER_VERSION"], env=self.environment,
                           cwd=self.tools)
        return None if status == 0 else "ocloc does not start: " + first_error(text)

    def version(self, packages):
        return f"ocloc {packages.get('intel-opencl-icd')}, libigc1 {packages.get('libigc1')}"

    def prepare(self):
        pass

    def compile(self, program, target, work):
        options = " ".join([*base_options(program), f"-DLEAST_LANES={self.LANES[target]}", "-I", self.kernels,
                            program.options])
        # The newer form of binary says in text what each kernel needs.
        status, text = run([self.ocloc, "compile", "-device", target, "-out_dir", work, "-output",
                            "k", "-options", options, "-internal_options",
                            "-cl-intel-allow-zebin", "-file",
                            os.path.join(self.kernels, program.file + ".cl")], env=self.environment)
        binaries = glob.glob(os.path.join(work, "k_*.bin"))
        if status != 0 or len(binaries) != 1:
            raise CompileError(first_error(text))
        with open(binaries[0], "rb") as f:
            kernels = ze_info_kernels(elf_section(f.read(), ".ze_info").decode())
        spilled = dict(re.findall(r"kernel (\S+)\s+compiled SIMD\d+ allocated \d+ regs and spilled "
                                  r"around (\d+)", text))
        return {k: self.result(n, int(spilled.get(k, 0)), program.groups.get(k, 1), target)
                for k, n in kernels.items()}

    def result(self, n, spills, group, target):
        units, memory, threads = self.SHARED[target]
        lds, width, registers = n["slm_size"], n["simd_size"], n["grf_count"]
        most = units * (threads if registers <= 128 else threads // 2)
        if lds > 0:
            most = min(most, memory // lds * -(-group // width))
        return Result(registers=registers, spills=spills, scratch=n["memory"], lds=lds, width=width,
                      occupancy=most)


def elf_section(data, wanted):
    """The bytes of a section of a 64-bit little-endian ELF file."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise CompileError("the binary is no 64-bit ELF file")
    at, = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    sections = [struct.unpack_from("<IIQQQQ", data, at + i * size) for i in range(count)]
    for name, _, _, _, offset, length in sections:
        start = sections[names][4] + name
        if data[start:data.index(b"\0", start)].decode() == wanted:
            return data[offset:offset + length]
    raise CompileError(f"the binary has no {wanted}")


def ze_info_kernels(text):
    """{kernel: numbers} of the YAML that a binary carries; `memory` is the bytes of buffers that
    hold what found no place in registers: of a work-item (private) or of a thread (scratch)."""
    found, now, size = {}, None, 0
    for line in text.split("\nkernels_misc_info")[0].splitlines():
        start = re.match(r"  - name:\s+(\S+)", line)
        pair = re.match(r"\s+(?:- )?(\w+):\s+(\S+)", line)
        if start:
            now = found.setdefault(start[1], {"slm_size": 0, "simd_size": 0, "grf_count": 0,
                                              "memory": 0})
            size = 0
        elif line.strip() == "per_thread_memory_buffers:":
            size = 1
        elif pair and now is not None:
            if size and pair[1] == "size":
                now["memory"] += int(pair[2])
            elif pair[1] in ("slm_size", "simd_size", "grf_count"):
                now[pair[1]] = int(pair[2])
    return found


DECLARED = r"(\.func\s+(?:\([^)]*\)\s*)?)(\w+)(\s*\([^)]*\)\s*;)"  # in PTX


class Nvidia(Clang):
    vendor = "NVIDIA"
    # (warps, groups, bytes of shared memory) of a multiprocessor, CUDA's table of compute
    # capabilities; registers are 65536 in all.
    RESIDENT = {"sm_75": (32, 16, 65536), "sm_80": (64, 32, 167936), "sm_86": (48, 16, 102400),
                "sm_89": (48, 24, 102400), "sm_90": (64, 32, 233472), "sm_100": (64, 32, 233472),
                "sm_120": (48, 24, 102400)}
    targets = tuple(RESIDENT)

    def __init__(self, kernels, tools, work):
        super().__init__(kernels, tools)
        del work
        self.known = {}
        self.ptxas = shutil.which("ptxas") or next(
            iter(sorted(glob.glob("/usr/local/cuda*/bin/ptxas"), reverse=True)), None)
        installed = "/usr/lib/clc/nvptx64--nvidiacl.bc"
        self.library = os.path.join(tools, installed[1:])
        if not os.path.exists(self.library):
            self.library = installed

    def missing(self):
        if self.clang is None:
            return "no clang-15"
        if self.ptxas is None:
            return "no ptxas of a CUDA toolkit"
        return None if os.path.exists(self.library) else "no libclc for nvptx64"

    def version(self, packages):
        ptxas = re.search(r"V[\d.]+", run([self.ptxas, "--version"])[1])
        return (f"{clang_version(self.clang)}, libclc-15 {packages.get('libclc-15')}, "
                f"ptxas {ptxas[0] if ptxas else '?'}")

    def prepare(self):
        pass

    def assembly(self, program, path):
        """PTX of a program, the same for all targets: what clang 15 writes, sm_75 takes."""
        known = (program.file, program.options)
        if known not in self.known:
            self.clang_run(program, ["-target", "nvptx64-nvidia-nvcl", "-Xclang", "-target-cpu",
                                     "-Xclang", "sm_75"], [self.library], path)
            with open(path, encoding="utf-8") as f:
                self.known[known] = f.read()
        return self.known[known]

    def compile(self, program, target, work):
        path = os.path.join(work, "k.ptx")
        ptx = self.assembly(program, path)
        lacking = self.missing_functions(ptx)
        ptx = self.with_group_sizes(ptx, program.groups)
        if lacking:  # other kernels of the file are assembled all the same
            ptx = re.sub(DECLARED, lambda m: (".extern " if m[2] in lacking else "") + m[0], ptx)
        with open(path, "w", encoding="utf-8") as f:
            f.write(ptx)
        command = [self.ptxas, "-v", "-arch=" + target, path, "-o", os.path.join(work, "k.cubin")]
        status, text = run(command + (["--compile-only"] if lacking else []))
        if status != 0:
            raise CompileError(first_error(text))
        found = {}
        for part in text.split("Compiling entry function '")[1:]:
            kernel = part.split("'")[0]
            own = part.split("Function properties for " + kernel)[-1].split("Function prop")[0]
            found[kernel] = self.result(own, program.groups.get(kernel, 1), target)
            if kernel in lacking:
                found[kernel] = Result("no libclc function " + " ".join(sorted(lacking[kernel])))
        return found

    @staticmethod
    def with_group_sizes(ptx, groups):
        """clang 15 leaves reqd_work_group_size out, by which ptxas bounds the registers."""
        def put(match):
            group = groups.get(match[1], 0)
            return match[0] + (f"\n.reqntid {group}, 1, 1" if group else "")
        return re.sub(r"\.entry (\w+)\([^)]*\)", put, ptx)

    @staticmethod
    def missing_functions(ptx):
        """{function or kernel: functions it calls, by itself or through others, that are not there}."""
        declared = set(re.findall(DECLARED, ptx))
        defined = set(re.findall(r"\.func\s+(?:\([^)]*\)\s*)?(\w+)\s*\([^)]*\)\s*\{", ptx))
        lacking = {name: {demangled(name)} for _, name, _ in declared if name not in defined}
        bodies = {}
        for body in re.split(r"(?=\.entry |\.func )", ptx) if lacking else []:
            name = re.match(r"\.(?:entry|func)\s+(?:\([^)]*\)\s*)?(\w+)", body)
            if name and name[1] not in lacking:
                bodies[name[1]] = set(re.findall(r"\w+", body)) - {name[1]}
        for _ in bodies:
            for name, words in bodies.items():
                called = set().union(*(lacking[w] for w in words & lacking.keys()))
                if called:
                    lacking[name] = called
        return lacking

    def result(self, text, group, target):
        def number(pattern):
            return sum(int(n) for n in re.findall(pattern, text))
        stack = max(number(r"(\d+) bytes stack frame"), number(r"(\d+) bytes cumulative stack"))
        registers, lds = number(r"Used (\d+) registers"), number(r"(\d+) bytes smem")
        warps, groups, memory = self.RESIDENT[target]
        of_group = -(-group // 32)
        by_registers = 65536 // (-(-registers * 32 // 256) * 256 * of_group)
        by_memory = memory // (lds + 1024) if lds > 0 else groups
        resident = min(groups, by_registers, by_memory, warps // of_group) * of_group
        return Result(registers=registers, spills=number(r"(\d+) bytes spill (?:stores|loads)"),
                      scratch=stack, lds=lds, width=32, occupancy=resident)


def demangled(name):
    match = re.match(r"_Z(\d+)", name)
    return name[match.end():][:int(match[1])] if match else name


VENDORS = (Amd, Intel, Nvidia)
