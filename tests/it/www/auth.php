<?php
header('Content-Type: application/json');
if (!isset($_SERVER['PHP_AUTH_USER']) && !isset($_SERVER['HTTP_AUTHORIZATION'])) {
	header('WWW-Authenticate: Basic realm="test"');
	http_response_code(401);
	exit('no');
}
echo json_encode([$_SERVER['PHP_AUTH_USER'] ?? null, $_SERVER['PHP_AUTH_PW'] ?? null, $_SERVER['HTTP_AUTHORIZATION'] ?? null,
	$_SERVER['REMOTE_USER'] ?? null]), "\n";
