# SPDX-License-Identifier: MIT OR Apache-2.0
# A server and a client, each in a process of its own, over a socket pair.
# Arguments: mechanism, user, password.
use strict;
use warnings;
use Authen::SASL qw(Cyrus);
use IO::Socket;
use MIME::Base64;

my ($mechanism, $user, $password) = @ARGV;
alarm 60;
socketpair(my $here, my $there, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "socketpair: $!";
$_->autoflush(1) for $here, $there;

# A message, or "-" for none.
sub say_to { my ($to, $data) = @_; print $to defined $data ? encode_base64($data, "") : "-", "\n"; }
sub hear { my $line = readline($_[0]); return unless defined $line; chomp $line; return $line eq "-" ? undef : decode_base64($line); }

my $child = fork();
die "fork: $!" unless defined $child;
if ($child == 0) {
    close $here;
    my $sasl = Authen::SASL->new(
        mechanism => $mechanism,
        callback => { user => $user, authname => $user, pass => $password },
    );
    my $client = $sasl->client_new("imap", "srv.lab.test");
    say_to($there, scalar $client->client_start);
    # The server ends it by leaving.
    while (defined(my $line = readline($there))) {
        chomp $line;
        my $reply = $client->client_step($line eq "-" ? "" : decode_base64($line));
        last if $client->code < 0;
        say_to($there, $reply);
    }
    print "client ", $client->code, "\n";
    # Leaving without destructors: the object and its callbacks end in an
    # order that the module does not define.
    STDOUT->flush;
    require POSIX;
    POSIX::_exit(0);
}
close $there;
my $sasl = Authen::SASL->new(
    mechanism => $mechanism,
    callback => { canonuser => sub { lc $_[-1] } },
);
my $server = $sasl->server_new("imap", "srv.lab.test");
print "offers ", join(" ", sort split / /, $server->listmech("", " ", "")), "\n";
# Without an argument there is no initial response.
my $first = hear($here);
my $challenge = $server->server_start(defined $first ? $first : ());
while ($server->need_step) {
    say_to($here, $challenge);
    my $line = readline($here);
    last unless defined $line;
    chomp $line;
    $challenge = $server->server_step($line eq "-" ? "" : decode_base64($line));
}
my $code = $server->code;
close $here;
waitpid($child, 0);
print "server $code ", ($code == 0 ? $server->property("user") // "" : $server->error // ""), "\n";
STDOUT->flush;
require POSIX;
POSIX::_exit(0);
