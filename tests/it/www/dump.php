<?php
// Everything that PHP knows of the request, as JSON; octets above 0x7f as the code points of the same number.
function plain($v)
{
	if (is_array($v)) {
		$out = [];
		foreach ($v as $k => $x) {
			$out[plain((string)$k)] = plain($x);
		}
		return $out;
	}
	if (!is_string($v)) {
		return $v;
	}
	return preg_replace_callback('/[\x80-\xff]/', fn($m) => chr(0xc0 | ord($m[0]) >> 6) . chr(0x80 | ord($m[0]) & 0x3f), $v);
}
$input = file_get_contents('php://input');
$files = [];
foreach ($_FILES as $name => $f) {
	$f['sha256'] = is_string($f['tmp_name']) && is_uploaded_file($f['tmp_name']) ? hash_file('sha256', $f['tmp_name']) : null;
	unset($f['tmp_name']);
	$files[$name] = $f;
}
header('Content-Type: application/json');
echo json_encode([
	'server' => plain($_SERVER), 'get' => plain($_GET), 'post' => plain($_POST), 'cookie' => plain($_COOKIE), 'files' => plain($files),
	'env' => plain(getenv()), 'headers' => plain(getallheaders()), 'input_len' => strlen($input), 'input_sha256' => hash('sha256', $input),
	'sapi' => PHP_SAPI, 'pid' => getmypid(), 'uid' => posix_geteuid(), 'file' => __FILE__, 'cwd' => getcwd(), 'argc' => $argc ?? null,
], JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES), "\n";
