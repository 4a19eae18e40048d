<?php
// Answers what the query says: h[]=field line, raw field by header(), status=, body=, repeat=
if (isset($_GET['status'])) {
	http_response_code((int)$_GET['status']);
}
foreach ($_GET['h'] ?? [] as $h) {
	header($h, false);
}
echo str_repeat($_GET['body'] ?? '', (int)($_GET['repeat'] ?? 1));
