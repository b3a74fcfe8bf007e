#!/usr/bin/env bash
# From a bare Debian or Ubuntu to a checkout that runs: what builds the rest, .venv, the virtual-time kernel, and the
# guests' root, which brings Mininet, Open vSwitch and all else that a fabric is made of.
#
#   ./setup.sh [all|build|python|kernel|root]…  what to see to; all four unless said otherwise
#   ./setup.sh system                           Mininet, Open vSwitch and RDMA's programs on this system: for fabrics on
#                                               its own kernel, for --root system, and for what `exec` is to find
#   ./setup.sh tests                            system, and packages that a few tests need, where the distribution has them
#   ./setup.sh torch                            PyTorch (800 MB) in a folder of its own, for one test
#   ./setup.sh hta                              Holistic Trace Analysis in a folder of its own, for one test
#   ./setup.sh tools                            tmux, tshark, Graphviz: what one works with beside longhaul
#   ./setup.sh jupyter                          JupyterLab in the same Python environment, for the notebooks in labs/
#   ./setup.sh packages                         the names of the system packages of `system` and `tools`
#   ./setup.sh check                            say what is missing of packages and Python; change nothing
#
# What is in place already costs nothing, so every `make` target calls this first. Only missing system
# packages need root; sudo is asked for those and for nothing else. Interrupt it whenever you like: the
# same command goes on from there. LONGHAUL_VENV puts the virtual environment elsewhere.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
venv=${LONGHAUL_VENV:-$here/.venv}
python=/usr/bin/python3 # Debian's own: Mininet's package belongs to it, and one from pyenv would not see that
machine=$(uname -m)

# package | why. Needed for a fabric that is made of this system, and what `exec` commonly needs.
fabric_packages=(
    "mininet|the emulator whose hosts, switches and links make the fabric"
    "openvswitch-switch|the switches"
    "iproute2|tc and ip: link delay, rate and loss"
    "ethtool|per-packet loss needs segmentation offload switched off"
    "iputils-ping|round-trip times of the fidelity check"
    "iperf3|throughput, by hand"
    "libiperf0|throughput, by iperf3's Python bindings"
    "libibverbs-dev|RDMA: the verbs, which programs for RoCE call"
    "ibverbs-providers|RDMA: what speaks to Soft-RoCE"
    "ibverbs-utils|RDMA: ibv_devinfo, ibv_rc_pingpong"
    "rdmacm-utils|RDMA: rping"
    "perftest|RDMA: ib_write_bw, ib_send_lat and the like"
)
# Needed in any case.
python_packages=(
    "python3-venv|the project's own Python environment"
    "ca-certificates|to fetch Python packages over TLS"
)
# Needed once, to build the virtual-time kernel (x86-64 alone has one).
kernel_packages=(
    "gcc|compiles the virtual-time kernel"
    "libc6-dev|C headers for it"
    "make|drives its build"
    "patch|makes its clock exact"
    "flex|its configuration language"
    "bison|its configuration language"
    "bc|its time constants"
    "xz-utils|unpacks its source"
    "debian-archive-keyring|checks the signature on its source"
)
# For a few tests alone, which are skipped without.
test_packages=(
    "shellcheck|checks the shell scripts"
    "graphviz|reads what \`graph --format dot\` writes"
    "vagrant|checks the Vagrantfile"
)
# To look at what a fabric does; nothing of longhaul's calls them.
tool_packages=(
    "tmux|several shells in one window"
    "tshark|reads captures (\`run --capture\`)"
    "graphviz|draws what \`graph --format dot\` writes"
)
torch_version=2.13.0
hta_version=0.5.0
torch_index=https://download.pytorch.org/whl/cpu

say() { printf '%s\n' "$*" >&2; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# --- system packages ---------------------------------------------------------------------------

# Where guests bring what a fabric is made of, only what builds them is needed.
wanted_packages() {
    printf '%s\n' "${python_packages[@]}"
    if [[ $machine == x86_64 ]]; then
        printf '%s\n' "${kernel_packages[@]}"
    else
        printf '%s\n' "${fabric_packages[@]}"
    fi
}

system_packages() { { wanted_packages && printf '%s\n' "${fabric_packages[@]}"; } | sort -u; }

installed_packages() {
    dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
        sed -n 's/^installed //p' || true
}

# Those of the lines that come in whose package is not installed.
missing() {
    local wanted line installed
    mapfile -t wanted
    installed=" $(installed_packages "${wanted[@]%%|*}" | tr '\n' ' ')"
    for line in "${wanted[@]}"; do
        [[ $installed == *" ${line%%|*} "* ]] || printf '%s\n' "$line"
    done
}


# While packages are installed, this file keeps their scripts from starting services: a fabric starts its own
# Open vSwitch, and stops it again.
policy=/usr/sbin/policy-rc.d
policy_mark="longhaul's set-up: no services while it installs packages. Safe to delete"

forbid_services() {
    [[ ! -e $policy ]] || return 0 # the machine's own, which may well forbid them itself
    printf '#!/bin/sh\n# %s\nexit 101\n' "$policy_mark" >"$policy"
    chmod 755 "$policy"
}

services_forbidden() { grep -qsF "$policy_mark" "$policy"; }

allow_services() { ! services_forbidden || rm -f "$policy"; }

apt() {
    local quiet=(-qq -o Dpkg::Use-Pty=0)
    [[ ! -t 1 ]] || quiet=(-o Dpkg::Progress-Fancy=1)
    DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get "${quiet[@]}" -o DPkg::Lock::Timeout=300 "$@" >&2
}

# The part that runs as root: install the packages, and leave no service behind that was not there before.
install_packages() {
    trap allow_services EXIT
    (($#)) || return 0
    forbid_services
    dpkg --configure -a >&2
    apt update || say "apt-get update failed; going on with the lists at hand"
    apt install --yes --no-install-recommends "$@" ||
        die "apt-get failed; its message is above. Mend that, then run this again"
    (($(installed_packages "$@" | wc -l) >= $#)) || die "some packages are still missing; run this again"
    if [[ " $* " == *" openvswitch-switch "* ]] && command -v systemctl >/dev/null; then
        systemctl disable --quiet openvswitch-switch # nor at the next boot
    fi
}

# Those of the lines that come in which are not there.
install_missing() {
    command -v dpkg-query >/dev/null ||
        die "this machine has no dpkg: longhaul needs Debian 12+ or Ubuntu 24.04+. Elsewhere: vagrant up"
    local missing
    mapfile -t missing < <(missing)
    ((${#missing[@]})) || services_forbidden || return 0

    install_as_root "${missing[@]}"
}

set_up_build() { wanted_packages | install_missing; }

set_up_system() { system_packages | install_missing; }

# Packages, each as a line of the lists above.
install_as_root() {
    local line names
    (($# == 0)) || say "These system packages are missing:"
    for line; do printf '  %-24s %s\n' "${line%%|*}" "${line#*|}" >&2; done
    names=("${@%%|*}")
    if ((EUID == 0)); then
        (install_packages "${names[@]}")
    elif command -v sudo >/dev/null; then
        say "Installing them with sudo, which nothing else here uses."
        sudo -- "$here/setup.sh" install "${names[@]}"
    else
        die "there is no sudo here. Run as root: $here/setup.sh install ${names[*]}"
    fi
}

set_up_tools() {
    local absent
    mapfile -t absent < <(printf '%s\n' "${tool_packages[@]}" | missing)
    ((!${#absent[@]})) || install_as_root "${absent[@]}"
}

# What a distribution does not have, or nobody may install, costs a few tests and nothing else.
set_up_tests() {
    local line had=()
    (set_up_system) || say "Going on without: what needs them is skipped"
    while read -r line; do
        if apt-cache show "${line%%|*}" >/dev/null 2>&1; then
            had+=("$line")
        else
            say "This system has no package ${line%%|*}: what ${line#*|} is skipped"
        fi
    done < <(printf '%s\n' "${test_packages[@]}" | missing)
    ((!${#had[@]})) || (install_as_root "${had[@]}") || say "Going on without: their tests are skipped"
}

# --- Python ------------------------------------------------------------------------------------

# Changes whenever the environment must be made anew or brought up to date.
python_stamp() {
    {
        readlink -f "$python"
        printf '%s\n' "$here" "$venv"
        cat "$here/requirements.lock"
        sed '/^\[tool.pytest/,$d' "$here/pyproject.toml" # how to test and check it comes after how to install it
    } | sha256sum
}

venv_is_whole() {
    grep -qsx 'include-system-site-packages = true' "$venv/pyvenv.cfg" &&
        [[ $(readlink -f "$venv/bin/python") == "$(readlink -f "$python")" ]] &&
        "$venv/bin/python" -m pip --version >/dev/null 2>&1
}

# pip's chatter goes to a log; what is seen is one line that counts.
pip_install() {
    local log=$venv/setup.log total=$1 done=0 word _
    shift
    env -u PYTHONPATH -u PIP_USER -u PIP_TARGET -u PIP_PREFIX PYTHONNOUSERSITE=1 \
        "$venv/bin/python" -m pip install --no-input --disable-pip-version-check --use-pep517 "$@" 2>&1 |
        tee "$log" | while read -r word _; do
            [[ $word == Collecting || $word == Requirement ]] || continue
            done=$((done + 1))
            [[ ! -t 2 ]] || printf '\rPython packages %d of %d\e[K' "$done" "$total" >&2
        done || {
            [[ ! -t 2 ]] || printf '\n' >&2
            tail -n 15 "$log" >&2
            die "pip failed; all it said is in $log"
        }
    [[ ! -t 2 ]] || printf '\r\e[K' >&2
}

# The entries of a lock file for these packages.
pins_of() {
    local names
    names=$(IFS='|' && printf '%s' "$*")
    sed -nE "/^($names)==/,/[^\\]\$/p"
}

make_venv() {
    [[ -x $python ]] || die "$python is missing: ./setup.sh build"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "$("$python" --version) is too old: longhaul needs 3.11 (Debian 12, Ubuntu 24.04)"
    say "Making the Python environment $venv"
    venv_is_whole || "$python" -m venv --clear --system-site-packages "$venv" ||
        die "could not make $venv. Is python3-venv there? ./setup.sh build"
    local lock=$here/requirements.lock pins
    pins=$(grep -c '^[A-Za-z0-9]' "$lock")
    # These first: packages that come as source are built with them, and the system's own may be too old.
    pins_of setuptools packaging <"$lock" >"$venv/build-tools.lock"
    pip_install 2 --require-hashes -r "$venv/build-tools.lock"
    pip_install "$pins" --require-hashes --no-build-isolation -r "$lock"
    pip_install "$pins" --no-deps --no-build-isolation --editable "$here"
    start_patiently
}

# Ctrl-C waits until Python is ready for it; what comes earlier would print a traceback.
start_patiently() {
    [[ $venv =~ ^[A-Za-z0-9/._-]{1,90}$ ]] && env --block-signal=INT true 2>/dev/null || return 0
    sed -i "1s|.*|#!/usr/bin/env -S --block-signal=INT $venv/bin/python|" "$venv/bin/longhaul"
}

python_is_current() {
    [[ -f $venv/longhaul.stamp && $(<"$venv/longhaul.stamp") == "$(python_stamp)" ]]
}

# What runs in a guest is compiled beforehand: it cannot write there, and would compile at every start.
compile_ours() {
    (cd "$here" && "$venv/bin/python" -S -m compileall -q scenario controller traffic analysis longhaul >&2) || true
}

set_up_python() {
    ! python_is_current || { compile_ours; return 0; }
    mkdir -p "$venv" 2>/dev/null || true
    [[ -w $venv ]] || die "$venv is not yours to write (made by root?). Remove it: sudo rm -rf $venv"
    exec 9<"$venv"
    flock -n 9 || { say "Another set-up is at work on $venv: waiting for it"; flock 9; }
    ! python_is_current || return 0
    rm -f "$venv/longhaul.stamp"
    make_venv
    python_stamp >"$venv/longhaul.stamp"
    exec 9<&-
    compile_ours
}

# Its lock agrees with requirements.lock where both name a package.
set_up_jupyter() {
    local lock=$here/vagrant/jupyter.lock stamp=$venv/jupyter.stamp
    set_up_python
    ! cmp --quiet "$lock" "$stamp" || return 0
    say "Installing JupyterLab in $venv"
    pip_install "$(grep -c '^[A-Za-z0-9]' "$lock")" --require-hashes -r "$lock"
    cp "$lock" "$stamp"
}

set_up_hta() {
    local place=${XDG_CACHE_HOME:-$HOME/.cache}/longhaul/hta
    [[ ! -e $place/$hta_version ]] || return 0
    say "Installing Holistic Trace Analysis $hta_version in $place"
    "$python" -m venv --clear "$place"
    local pip=("$place/bin/python" -m pip install --quiet --disable-pip-version-check --retries 1)
    # Without Jupyter, which it names and its analysis does not use; what it uses and does not name beside the rest.
    "${pip[@]}" --no-deps "HolisticTraceAnalysis==$hta_version"
    "${pip[@]}" networkx numpy pandas plotly psutil pydot pyyaml
    touch "$place/$hta_version"
}

set_up_torch() {
    local place=${XDG_CACHE_HOME:-$HOME/.cache}/longhaul/torch
    [[ ! -e $place/$torch_version ]] || return 0
    say "Installing PyTorch $torch_version in $place"
    "$python" -m venv --clear "$place"
    local pip=("$place/bin/python" -m pip install --quiet --disable-pip-version-check --retries 1)
    # Of the CPU's build, which PyTorch's own index has; what it needs is everywhere.
    "${pip[@]}" --no-deps --extra-index-url "$torch_index" "torch==$torch_version"
    "${pip[@]}" "torch==$torch_version" numpy # which torch.distributed.rpc wants, and does not name
    touch "$place/$torch_version"
}

# --- kernel ------------------------------------------------------------------------------------

set_up_kernel() {
    if [[ $machine != x86_64 ]]; then
        say "The virtual-time kernel exists for x86-64 only; on $machine this machine's own kernel is used."
        return 0
    fi
    (cd "$here" && "$python" -m longhaul.machine.kernel >/dev/null)
}

set_up_root() {
    [[ $machine == x86_64 ]] || return 0 # it is for guests alone
    (cd "$here" && "$venv/bin/python" -m longhaul.machine.userland >/dev/null)
}

names_of() { sed 's/|.*//'; }

# One line for each thing that is missing, in a form for programs too (`longhaul doctor` reads it).
check() {
    local line
    wanted_packages | missing | while read -r line; do printf 'package|%s\n' "$line"; done
    python_is_current || printf 'python|%s|not made, or older than requirements.lock\n' "$venv"
}

main() {
    local step
    if [[ ${1-} == install ]]; then # what this script runs with sudo
        shift
        install_packages "$@"
        return
    fi
    for step in "${@:-all}"; do
        case $step in
        all)
            set_up_build
            set_up_python
            set_up_kernel
            set_up_root
            ;;
        build | system | python | kernel | root | tests | torch | hta | tools | jupyter) "set_up_$step" ;;
        packages) names_of < <(system_packages && printf '%s\n' "${tool_packages[@]}") ;;
        check) check ;;
        -h | --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" ;;
        *) die "unknown step '$step': all, build, system, python, kernel, root, tests, torch, hta, tools, jupyter, packages or check" ;;
        esac
    done
}

main "$@"
