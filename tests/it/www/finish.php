<?php
$id = preg_replace('/[^a-z0-9_-]/', '', $_GET['id']);
echo "done\n";
fastcgi_finish_request();
echo "nobody sees this\n";
usleep(700000);
file_put_contents(__DIR__ . "/var/$id", "after\n");
