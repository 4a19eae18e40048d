<?php
header('Content-Type: application/json');
$f = $_FILES['file'];
$moved = $f['error'] === UPLOAD_ERR_OK && move_uploaded_file($f['tmp_name'], __DIR__ . '/var/upload-' . basename($f['name']));
echo json_encode(['moved' => $moved, 'error' => $f['error'], 'size' => $f['size'], 'name' => $f['name'], 'type' => $f['type'],
	'post' => $_POST, 'left' => $moved ? file_exists($f['tmp_name']) : null]), "\n";
