<?php
// A system call that no profile has; answers only if the call returned.
switch ($_GET['call'] ?? 'chroot') {
case 'chroot':
	$r = chroot('/');
	break;
case 'unshare':
	$r = pcntl_unshare(CLONE_NEWUSER);
	break;
case 'keyctl':
	// 250 on x86-64, 219 on arm64
	$r = FFI::cdef('long syscall(long n, ...);')->syscall(php_uname('m') === 'aarch64' ? 219 : 250, 0, 0, 0, 0, 0);
	break;
}
echo 'returned ', json_encode($r ?? null), "\n";
