<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Form and upload</title><link rel="stylesheet" href="/style.css"></head>
<body>
<h1>Form and upload</h1>
<form method="post" enctype="multipart/form-data">
<p><label>Name <input name="name" value="<?= htmlspecialchars($_POST['name'] ?? '') ?>"></label></p>
<p><label>File <input type="file" name="file"></label></p>
<p><button>Send</button></p>
</form>
<?php if ($_SERVER['REQUEST_METHOD'] === 'POST'): ?>
<h2>Received</h2>
<pre><?php
	foreach ($_POST as $k => $v) {
		echo htmlspecialchars($k . ' = ' . (is_array($v) ? json_encode($v) : $v)), "\n";
	}
	foreach ($_FILES as $f) {
		if ($f['error'] === UPLOAD_ERR_OK) {
			echo htmlspecialchars($f['name']), ': ', $f['size'], ' octets, sha256 ', hash_file('sha256', $f['tmp_name']), "\n";
		}
	}
?></pre>
<?php endif ?>
<p><a href="/">back</a></p>
</body>
</html>
