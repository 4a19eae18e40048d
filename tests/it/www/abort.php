<?php
// Writes until the client is gone; what it saw is left in a file.
$id = preg_replace('/[^a-z0-9_-]/', '', $_GET['id']);
ignore_user_abort(isset($_GET['ignore']));
register_shutdown_function(function () use ($id) {
	file_put_contents(__DIR__ . "/var/$id", 'aborted=' . connection_aborted() . ' status=' . connection_status() . "\n", FILE_APPEND);
});
for ($i = 0; $i < 100; $i++) {
	echo str_repeat('x', 100), "\n";
	flush();
	if (connection_aborted()) {
		file_put_contents(__DIR__ . "/var/$id", "seen\n", FILE_APPEND);
		break;
	}
	usleep(50000);
}
