<?php
error_log($_GET['m']);
trigger_error('triggered ' . $_GET['m'], E_USER_WARNING);
echo "logged\n";
