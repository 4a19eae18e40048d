<?php
// Far more than anybody would read.
for ($i = 0; $i < 4000; $i++)
	error_log("flood " . str_repeat("f", 8000));
echo "flooded\n";
