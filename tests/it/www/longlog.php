<?php
error_log('start-' . str_repeat('y', (int)$_GET['n']) . '-end');
echo "logged\n";
