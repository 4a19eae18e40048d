<?php
http_response_code(201);
register_shutdown_function(function () { echo "shutdown\n"; });
ob_start();
echo "before\n";
exit;
echo "after\n";
