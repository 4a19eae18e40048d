<?php
header('Content-Type: text/plain');
echo 'Hello from process ', getmypid(), ', ', PHP_SAPI, ', ', $_SERVER['SCRIPT_NAME'], ' ', $_SERVER['PATH_INFO'] ?? '', "\n";
