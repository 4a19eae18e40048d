<?php
header('Content-Type: text/plain');
usleep((int)((float)($_GET['s'] ?? 1) * 1000000));
echo getmypid(), "\n";
