#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
A small virtual machine: Debian's own kernel (6.1 on Debian 12), emulated, so that it needs no /dev/kvm and no root. Its
root directory is this machine's, read only, under a layer in memory: what is built and installed here is there too.

	tests/vm/vm.py MODULE [CHECK...]   run checks of tests/vm/MODULE.py in it and print their results
	tests/vm/vm.py --fetch             only get the kernel
"""
import argparse
import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(os.environ.get("BULKHEAD_BUILD") or os.path.join(TOP, "build"), "vm")
# Named by what needs them; what they need themselves is read from them.
MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "null_blk")
MEMORY_MB = 1024
# Modules of checks; each has a machine of its own.
SETUPS = {"kernel61": {}, "cgroups": {},
	"units": {"init": HERE + "/stage2-systemd", "installed": True}}
# Programs that they run besides the server, below its build directory.
PROGRAMS = ["tests/probe/try_syscall"]


class NoVm(Exception):
	"""This machine lacks something; the text says what."""


# --- the kernel ----------------------------------------------------------------------------------------------------------

def kernel_package():
	"""The package that the name linux-image-amd64 stands for now."""
	out = subprocess.run(["apt-cache", "depends", "--important", "linux-image-amd64"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
		text=True, timeout=60).stdout
	m = re.search(r"Depends: (linux-image-[0-9]\S*-amd64)", out)
	return m.group(1) if m else None


def kernel_fetch(work=WORK):
	"""Download and unpack it (no installation: no boot loader is touched); returns the directory, made once."""
	tree = os.path.join(work, "kernel")
	if glob.glob(tree + "/boot/vmlinuz-*"):
		return tree
	os.makedirs(work, exist_ok=True)
	package = kernel_package()
	if package is None and os.geteuid() == 0:
		subprocess.run(["apt-get", "-q", "update"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)
		package = kernel_package()
	if package is None:
		raise NoVm("apt knows no linux-image-amd64")
	for old in glob.glob(work + "/*.deb"):
		os.unlink(old)
	got = subprocess.run(["apt-get", "-q", "-o", "Acquire::Retries=3", "download", package], cwd=work, stdout=subprocess.PIPE,
		stderr=subprocess.STDOUT, text=True, timeout=600)
	debs = glob.glob(work + "/*.deb")
	if got.returncode != 0 or not debs:
		raise NoVm("apt-get download %s: %s" % (package, got.stdout.strip()[-500:]))
	shutil.rmtree(tree + ".new", ignore_errors=True)
	subprocess.run(["dpkg-deb", "-x", debs[0], tree + ".new"], check=True, timeout=300)
	os.unlink(debs[0])
	os.rename(tree + ".new", tree)
	return tree


# --- the first file system --------------------------------------------------------------------------------------------------

def module_needs(path):
	"""The names that a module's .modinfo section says it depends on."""
	with open(path, "rb") as f:
		m = re.search(rb"\0depends=([^\0]*)\0", f.read())
	return [n for n in m.group(1).decode().split(",") if n] if m else []


def module_order(tree, names):
	"""(name, path) of each module and all below it, in the order in which they can be loaded."""
	files = {os.path.basename(p)[:-3].replace("-", "_"): p for p in glob.glob(tree + "/lib/modules/*/kernel/**/*.ko", recursive=True)}
	order = []

	def add(name):
		if name in files and (name, files[name]) not in order:
			for n in module_needs(files[name]):
				add(n)
			order.append((name, files[name]))
	for n in names:
		add(n)
	return order


def initramfs(tree, root, env):
	"""Build it below @root; @env goes to /run/vm/env of the machine. Returns the archive."""
	busybox = shutil.which("busybox", path="/bin:/usr/bin")
	if busybox is None:
		raise NoVm("no busybox (package busybox-static)")
	shutil.rmtree(root, ignore_errors=True)
	for d in ("bin", "dev", "proc", "lower", "layer", "root", "modules", "run/vm"):
		os.makedirs(os.path.join(root, d))
	shutil.copy(busybox, root + "/bin/busybox")
	shutil.copy(HERE + "/init", root + "/init")
	os.chmod(root + "/init", 0o755)
	order = module_order(tree, MODULES)
	for name, path in order:
		shutil.copy(path, "%s/modules/%s.ko" % (root, name))
	with open(root + "/modules/order", "w") as f:
		f.writelines(name + "\n" for name, _ in order)
	with open(root + "/run/vm/env", "w") as f:
		f.writelines("export %s=%s\n" % (k, shlex.quote(v)) for k, v in sorted(env.items()))
	archive = root + ".cpio"
	names = subprocess.run(["find", "."], cwd=root, stdout=subprocess.PIPE, check=True).stdout
	with open(archive, "wb") as out:
		subprocess.run([busybox, "cpio", "-o", "-H", "newc"], cwd=root, input=names, stdout=out, stderr=subprocess.DEVNULL, check=True)
	return archive


# --- running it ---------------------------------------------------------------------------------------------------------------

class Result:
	"""What one machine said: checks by name ({ok, text, seconds}), its console, how long it lived."""

	def __init__(self, checks, finished, console, seconds):
		self.checks, self.console, self.seconds, self.finished = checks, console, seconds, finished


def install(bulkhead, to):
	"""What "make install" makes of the build that @bulkhead is from."""
	shutil.rmtree(to, ignore_errors=True)
	subprocess.run(["make", "-C", os.path.dirname(bulkhead), "install", "DESTDIR=" + to], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
		check=True, timeout=300)


def run(module, bulkhead, only=(), timeout=420, work=WORK):
	"""Boot, run the checks of tests/vm/@module.py, power off. The machine is gone when this returns, whatever happened."""
	setup = SETUPS[module]
	qemu = shutil.which("qemu-system-x86_64")
	if qemu is None:
		raise NoVm("no qemu-system-x86_64 (package qemu-system-x86)")
	tree = kernel_fetch(work)
	name = os.path.join(work, module)
	installed = os.path.join(work, "installed")
	if setup.get("installed"):
		if not os.access("/lib/systemd/systemd", os.X_OK):
			raise NoVm("no systemd (package systemd)")
		install(bulkhead, installed)
	env = dict(VM_INSTALLED=installed, VM_TOP=TOP, VM_MODULE=module, VM_ONLY=" ".join(only), VM_PYTHON="/usr/bin/python3", BULKHEAD_BIN=bulkhead,
		BULKHEAD_PORTS="20000-29999")
	archive = initramfs(tree, name + ".root", env)
	console, results = name + ".console", name + ".results"
	for f in (console, results):
		if os.path.exists(f):
			os.unlink(f)
	args = [qemu, "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", str(MEMORY_MB), "-display", "none", "-nodefaults",
		"-no-reboot", "-kernel", glob.glob(tree + "/boot/vmlinuz-*")[0], "-initrd", archive,
		"-append", "console=ttyS0 loglevel=4 panic=-1 oops=panic vm.init=" + setup.get("init", HERE + "/stage2"),
		"-serial", "file:" + console, "-serial", "file:" + results,
		"-virtfs", "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap"]
	start = time.monotonic()
	p = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
	try:
		said = p.communicate(timeout=timeout)[0]
	except subprocess.TimeoutExpired:
		p.kill()
		said = p.communicate()[0] + "not finished after %d s\n" % timeout
	return Result(*read_results(results), read(console) + said, time.monotonic() - start)


def read(path):
	try:
		with open(path, errors="replace") as f:
			return f.read()
	except OSError:
		return ""


def read_results(path):
	checks, finished = {}, False
	for line in read(path).splitlines():
		try:
			r = json.loads(line)
		except ValueError:
			continue
		if r["name"] is None:
			finished = True
		else:
			checks[r["name"]] = r
	return checks, finished


def names_of(module):
	"""The checks of tests/vm/@module.py, in its order, without importing it."""
	return re.findall(r"^def check_(\w+)\(", read(os.path.join(HERE, module + ".py")), re.M)


def bulkhead_default():
	return os.path.abspath(os.environ.get("BULKHEAD_BIN") or os.path.join(TOP, "build/bulkhead"))


def main():
	p = argparse.ArgumentParser(description="Run checks in a small virtual machine.")
	p.add_argument("--fetch", action="store_true", help="only get the kernel")
	p.add_argument("--timeout", type=int, default=300, help="seconds, for the whole machine")
	p.add_argument("--console", action="store_true", help="show the machine's console, too")
	p.add_argument("module", nargs="?")
	p.add_argument("check", nargs="*")
	a = p.parse_args()
	if a.fetch or a.module is None:
		print(kernel_fetch())
		return 0
	r = run(a.module, bulkhead_default(), only=a.check, timeout=a.timeout)
	for name in a.check or names_of(a.module):
		c = r.checks.get(name)
		print("%-7s %5.1f s  %s" % ("ok" if c and c["ok"] else "FAILED", c["seconds"] if c else 0, name))
		if c and c["text"]:
			print("\t" + c["text"].replace("\n", "\n\t"))
	print("%.0f s in all%s" % (r.seconds, "" if r.finished else ", not finished"))
	if a.console or not r.finished:
		print(r.console)
	return 0 if r.finished and all(c["ok"] for c in r.checks.values()) else 1


if __name__ == "__main__":
	sys.exit(main())
