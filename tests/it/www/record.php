<?php
// Leaves a file behind: proof that PHP ran.
$id = preg_replace('/[^a-z0-9_-]/', '', $_GET['id']);
file_put_contents(__DIR__ . "/var/$id", strlen(file_get_contents('php://input')) . "\n", FILE_APPEND);
echo "recorded\n";
