<?php
$cell = PHP_SAPI === 'apache2handler';
$rows = [
	'Virtual host' => $_SERVER['SERVER_NAME'],
	'Path' => $cell ? 'prefork: a cell of this site' : 'worker: a FastCGI pool',
	'PHP' => PHP_VERSION . ' (' . PHP_SAPI . ')',
	'Process' => getmypid() . ($cell ? ' (another one at every reload, as long as RequestIsolation is fresh)' : ''),
	'User' => (posix_getpwuid(posix_geteuid())['name'] ?? '?') . ' (' . posix_geteuid() . ')',
	'You' => $_SERVER['REMOTE_ADDR'] . ':' . $_SERVER['REMOTE_PORT'],
];
foreach (@file('/proc/self/status') ?: [] as $line) {
	if (preg_match('/^(CapEff|NoNewPrivs|Seccomp):\s*(\S+)/', $line, $m)) {
		$rows[$m[1]] = $m[2];
	}
}
?>
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title><?= htmlspecialchars($_SERVER['SERVER_NAME']) ?></title><link rel="stylesheet" href="/style.css"></head>
<body>
<img src="/logo.svg" alt="" width="64" height="64">
<h1><?= htmlspecialchars($_SERVER['SERVER_NAME']) ?></h1>
<table>
<?php foreach ($rows as $name => $value): ?>
<tr><th><?= htmlspecialchars($name) ?></th><td><?= htmlspecialchars((string)$value) ?></td></tr>
<?php endforeach ?>
</table>
<p><a href="/hello.php">hello.php</a> · <a href="/form.php">form and upload</a> · <a href="/logo.svg">a static file</a> ·
<a href="/hello.php/path/info?x=1">path info</a> · <a href="/missing.php">a missing script</a></p>
</body>
</html>
