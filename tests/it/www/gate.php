<?php
// Leaves a note that it runs, then waits until it is let go.
$id = preg_replace('/[^a-z0-9_-]/', '', $_GET['id']);
ignore_user_abort(true);
file_put_contents(__DIR__ . "/var/$id", "runs\n", FILE_APPEND);
for ($i = 0; $i < 3000 && !file_exists(__DIR__ . "/var/$id-go"); $i++)
	usleep(10000);
echo "done\n";
