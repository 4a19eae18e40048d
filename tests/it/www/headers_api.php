<?php
header('X-Own: 1');
header('Content-Type: application/json');
echo json_encode([
	'all' => getallheaders(), 'request' => apache_request_headers(), 'response' => function_exists('apache_response_headers') ? apache_response_headers() : null,
]), "\n";
