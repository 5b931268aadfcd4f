rule dropped_script
{
	strings:
		$shebang = "#!/bin/sh"
		$mark = "dropped by the live test"
	condition:
		$shebang at 0 and $mark and extension == ".sh"
}

rule takes_for_ever
{
	condition:
		filename == "slow" and for all i in (0..2000000000) : (uint8(i % 1000) != 0xff)
}
