<?php
echo "begun\n";
flush();
no_such_function();
