<?php
// Runs out of C stack: a real SIGSEGV, without any function that a profile forbids.
if (isset($_GET['late'])) {
	echo "begun\n";
	flush();
}
function deeper()
{
	array_map('deeper', [1]);
}
ini_set('memory_limit', '-1');
deeper();
