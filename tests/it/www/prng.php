<?php
// One draw of every source of random numbers that PHP offers, each with enough bits that two equal ones are no accident.
$numbers = range(0, 30);
shuffle($numbers);
$key = openssl_pkey_new(['private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => 'prime256v1']);
openssl_pkey_export($key, $pem);
$file = tempnam(sys_get_temp_dir(), 'prng');
unlink($file);
$out = [
	'mt_rand' => mt_rand() . '-' . mt_rand(),
	'rand' => rand() . '-' . rand(),
	'shuffle' => implode(' ', $numbers),
	'str_shuffle' => str_shuffle('abcdefghijklmnopqrstuvwxyz0123456789'),
	'array_rand' => implode(' ', array_rand(range(0, 200), 20)),
	'lcg_value' => sprintf('%.17f', lcg_value()),
	'uniqid_more_entropy' => uniqid('', true),
	'entropy_of_uniqid' => substr(uniqid('', true), 13) . substr(uniqid('', true), 13),
	'random_bytes' => bin2hex(random_bytes(16)),
	'random_int' => random_int(0, PHP_INT_MAX),
	'openssl_bytes' => bin2hex(openssl_random_pseudo_bytes(16)),
	'openssl_key' => sha1($pem),
	'sodium_key' => bin2hex(sodium_crypto_secretbox_keygen()),
	'sodium_keypair' => bin2hex(sodium_crypto_box_keypair()),
	'session_id' => session_create_id(),
	'password_salt' => password_hash('x', PASSWORD_BCRYPT, ['cost' => 4]),
	'file_name' => $file,
];
if (class_exists('Random\Randomizer')) {
	$out += [
		'randomizer' => bin2hex((new Random\Randomizer)->getBytes(16)),
		'randomizer_mt' => bin2hex((new Random\Randomizer(new Random\Engine\Mt19937))->getBytes(16)),
		'randomizer_pcg' => bin2hex((new Random\Randomizer(new Random\Engine\PcgOneseq128XslRr64))->getBytes(16)),
		'randomizer_xoshiro' => bin2hex((new Random\Randomizer(new Random\Engine\Xoshiro256StarStar))->getBytes(16)),
	];
}
if (class_exists('Imagick')) {
	$image = new Imagick;
	$image->newImage(16, 16, 'gray');
	$image->addNoiseImage(Imagick::NOISE_RANDOM);
	$out['imagick_noise'] = sha1(implode(' ', $image->exportImagePixels(0, 0, 16, 16, 'RGB', Imagick::PIXEL_CHAR)));
}
if (isset($_GET['native'])) {
	// The libraries themselves, without PHP between: a stream that is taken up again where the image left it shows here.
	$bytes = str_repeat(chr(0), 16);
	sp_call('RAND_bytes', $bytes, 16);
	$out['RAND_bytes'] = bin2hex($bytes);
	$bytes = str_repeat(chr(0), 16);
	sp_call('RAND_priv_bytes', $bytes, 16);
	$out['RAND_priv_bytes'] = bin2hex($bytes);
	$bytes = str_repeat(chr(0), 16);
	sp_call('arc4random_buf', $bytes, 16);
	$out['arc4random'] = bin2hex($bytes);
	$out['php_mt_rand'] = sp_call('php_mt_rand') . '-' . sp_call('php_mt_rand');
}
header('Content-Type: application/json');
echo json_encode(['pid' => getmypid(), 'drawn' => $out], JSON_THROW_ON_ERROR), "\n";
