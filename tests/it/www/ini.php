<?php
header('Content-Type: application/json');
$out = [];
foreach ($_GET['n'] as $n) {
	$out[$n] = ini_get($n);
}
foreach ($_GET['set'] ?? [] as $n => $v) {
	$out["set $n"] = ini_set($n, $v) !== false;
	$out["after $n"] = ini_get($n);
}
echo json_encode($out), "\n";
