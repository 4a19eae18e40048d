<?php
// n octets, a pattern that shows where a piece is missing
header('Content-Type: application/octet-stream');
if (isset($_GET['length'])) {
	header('Content-Length: ' . (int)$_GET['n']);
}
for ($at = 0, $n = (int)$_GET['n']; $at < $n; $at += 8192) {
	$block = '';
	for ($i = $at; $i < $at + 8192; $i += 16) {
		$block .= sprintf("%015d\n", $i);
	}
	echo substr($block, 0, min(8192, $n - $at));
}
