// SPDX-License-Identifier: MIT OR Apache-2.0
//! A slapd for the older way: SASL binds, proxied authorization, and clear
//! passwords that each entry may read of itself.

use super::CANARY;
use std::path::Path;

/// Its people: the service account may act for those in ou=people.
pub(crate) fn entries() -> String {
    format!(
        "dn: dc=users,dc=local\nobjectClass: domain\ndc: users\n\n\
         dn: ou=machines,dc=users,dc=local\nobjectClass: organizationalUnit\nou: machines\n\n\
         dn: ou=people,dc=users,dc=local\nobjectClass: organizationalUnit\nou: people\n\n\
         dn: cn=cyrus,ou=machines,dc=users,dc=local\nobjectClass: inetOrgPerson\ncn: cyrus\n\
         sn: cyrus\nuid: cyrus\nuserPassword: {CANARY}\n\
         authzTo: ldap:///ou=people,dc=users,dc=local??sub?(objectClass=inetOrgPerson)\n\n\
         dn: cn=johndoe,ou=people,dc=users,dc=local\nobjectClass: inetOrgPerson\ncn: johndoe\n\
         sn: doe\nuid: jdoe\nmail: jdoe@example.com\nuserPassword: dogood\n\n\
         dn: cn=Müller\\2C Anna,ou=people,dc=users,dc=local\nobjectClass: inetOrgPerson\n\
         cn: Müller, Anna\nsn: Müller\nuid: anna\nmail: anna@example.com\n\
         mail: a.mueller@example.com\nuserPassword: geheim\njpegPhoto:: AAEC/w==\n\n\
         dn: cn=other,ou=machines,dc=users,dc=local\nobjectClass: inetOrgPerson\ncn: other\n\
         sn: other\nuid: other\nuserPassword: other\n\n"
    )
}

/// Its configuration.
pub(crate) fn configuration(folder: &Path) -> String {
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    let cyrus = "\"cn=cyrus,ou=machines,dc=users,dc=local\"";
    format!(
        "include /etc/ldap/schema/core.schema\n\
         include /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\n\
         modulepath /usr/lib/ldap\n\
         moduleload back_mdb\n\
         pidfile {0}/pid\n\
         TLSCACertificateFile {0}/ca.pem\n\
         TLSCertificateFile {0}/server.pem\n\
         TLSCertificateKeyFile {0}/server.key\n\
         TLSVerifyClient try\n\
         sasl-auxprops slapd\n\
         sasl-secprops noanonymous\n\
         sasl-host localhost\n\
         authz-policy to\n\
         authz-regexp \"^gidNumber={gid}[+]uidNumber={uid},cn=peercred,cn=external,cn=auth$\" {cyrus}\n\
         authz-regexp \"^cn=client$\" {cyrus}\n\
         authz-regexp \"^uid=cyrus,(.+,)?cn=auth$\" {cyrus}\n\
         authz-regexp \"^uid=other,(.+,)?cn=auth$\" \"cn=other,ou=machines,dc=users,dc=local\"\n\
         authz-regexp \"^uid=([^,@]+@[^,]+),(.+,)?cn=auth$\" \
         \"ldap:///ou=people,dc=users,dc=local??sub?(mail=$1)\"\n\
         authz-regexp \"^uid=([^,]+),(.+,)?cn=auth$\" \
         \"ldap:///ou=people,dc=users,dc=local??sub?(uid=$1)\"\n\
         access to dn.base=\"\" by * read\n\
         database mdb\n\
         suffix dc=users,dc=local\n\
         directory {0}/db\n\
         access to attrs=userPassword by self =rwx by anonymous auth by * none\n\
         access to attrs=authzTo by * auth\n\
         access to * by self read by users read by anonymous auth by * none\n",
        folder.display()
    )
}
