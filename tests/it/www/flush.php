<?php
header('Content-Type: text/event-stream');
for ($i = 0; $i < 3; $i++) {
	echo "data: $i\n\n";
	flush();
	usleep(400000);
}
