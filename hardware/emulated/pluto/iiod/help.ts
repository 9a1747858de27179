/** Reply to HELP. */
export const HELP = `Available commands:

	HELP
		This text
	EXIT
		End of the session
	VERSION
		Version of libiio that serves here
	PRINT
		Length and XML description of the context
	ZPRINT
		The same, compressed, where the server can
	TIMEOUT <ms>
		Longest wait for samples
	READ <device> [DEBUG | BUFFER | INPUT <channel> | OUTPUT <channel>] [<attribute>]
		Value of an attribute, or of all
	WRITE <device> [DEBUG | BUFFER | INPUT <channel> | OUTPUT <channel>] [<attribute>] <bytes>
		Sets an attribute, or all
	OPEN <device> <samples> <mask> [CYCLIC]
		Opens the buffer of a device for the channels of the mask
	CLOSE <device>
		Closes it
	READBUF <device> <bytes>
		Samples from the buffer
	WRITEBUF <device> <bytes>
		Samples to the buffer
	SET <device> BUFFERS_COUNT <count>
		Number of kernel buffers, from the next OPEN on
	GETTRIG <device>
		Trigger of a device
	SETTRIG <device> [<trigger>]
		Sets it
`;
