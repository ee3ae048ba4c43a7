//! Instructions and mounts after expansion.

use dockerfile::{
    BindMount, CacheMount, Dockerfile, Expander, Instruction, Mount, SecretMount, Sharing,
    SshMount, TmpfsMount,
};

fn parse(text: &str) -> Dockerfile {
    dockerfile::parse(&format!("FROM a\n{text}\n"), "Dockerfile").unwrap()
}

fn lookup(name: &str) -> Option<String> {
    match name {
        "D" => Some("/var/cache".to_owned()),
        "PORTS" => Some("80 443/tcp".to_owned()),
        _ => None,
    }
}

fn mount(text: &str) -> Result<Mount, String> {
    let parsed = parse(&format!("RUN --mount={text} true"));
    let Instruction::Run(run) = &parsed.stages[0].instructions[0].node else {
        unreachable!("the line is a RUN")
    };
    let mounts = run.mounts(&Expander::new(&parsed.file, '\\', &lookup));
    mounts
        .map(|mut mounts| mounts.value.remove(0))
        .map_err(|error| error.message)
}

#[test]
fn mounts_have_their_defaults() {
    let cache = CacheMount {
        id: None,
        target: "/var/cache".to_owned(),
        from: None,
        source: None,
        sharing: Sharing::Shared,
        readonly: false,
        mode: 0o755,
        uid: 0,
        gid: 0,
    };
    assert_eq!(mount("type=cache,target=$D"), Ok(Mount::Cache(cache)));
    let bind = BindMount {
        target: "x".to_owned(),
        from: Some("stage".to_owned()),
        source: None,
        readonly: true,
    };
    assert_eq!(mount("from=stage,dst=x"), Ok(Mount::Bind(bind.clone())));
    let writable = BindMount {
        readonly: false,
        ..bind
    };
    assert_eq!(mount("FROM=stage,Target=x,rw"), Ok(Mount::Bind(writable)));
    let tmpfs = TmpfsMount {
        target: "/t".to_owned(),
        size: Some(1 << 20),
    };
    assert_eq!(
        mount("target=/t,type=tmpfs,size=1m"),
        Ok(Mount::Tmpfs(tmpfs))
    );
    let ssh = SshMount {
        id: "default".to_owned(),
        target: None,
        required: true,
        mode: 0o600,
        uid: 0,
        gid: 0,
    };
    assert_eq!(mount("type=ssh,required"), Ok(Mount::Ssh(ssh)));
}

#[test]
fn secrets_are_files_or_variables() {
    let secret = |id: &str, target: Option<&str>, env: Option<&str>| {
        Ok(Mount::Secret(SecretMount {
            id: id.to_owned(),
            target: target.map(str::to_owned),
            env: env.map(str::to_owned),
            required: false,
            mode: 0o400,
            uid: 0,
            gid: 0,
        }))
    };
    assert_eq!(
        mount("type=secret,id=a"),
        secret("a", Some("/run/secrets/a"), None)
    );
    assert_eq!(
        mount("type=secret,target=/x/b"),
        secret("b", Some("/x/b"), None)
    );
    assert_eq!(
        mount("type=secret,id=a,env=T"),
        secret("a", None, Some("T"))
    );
    assert_eq!(mount("type=secret,id=a,env="), secret("a", None, Some("a")));
    assert_eq!(
        mount("type=secret,id=a,env=T,target=/x"),
        secret("a", Some("/x"), Some("T"))
    );
}

#[test]
fn a_mount_is_checked_again_after_expansion() {
    assert_eq!(
        mount("type=${none:-x},target=/a"),
        Err("there is no mount type `x`".to_owned())
    );
    assert_eq!(
        mount("target=$none"),
        Err("a mount of type bind needs a target".to_owned())
    );
}

#[test]
fn instructions_expand_their_own_way() {
    let parsed = parse(
        "EXPOSE $PORTS 53/udp\nENV A=\"$D x\" $none=1\nCOPY <<f <<'g' $D/\n\"$D\"\nf\n$D\ng\nCMD $D\nONBUILD RUN $D",
    );
    let expander = Expander::new(&parsed.file, '\\', &lookup);
    let instructions = &parsed.stages[0].instructions;
    let expanded: Vec<_> = instructions
        .iter()
        .map(|statement| statement.node.expand(&expander).unwrap())
        .collect();
    let Instruction::Expose(expose) = &expanded[0].value else {
        unreachable!()
    };
    let ports: Vec<_> = expose
        .ports
        .iter()
        .map(|port| port.value.as_str())
        .collect();
    assert_eq!(ports, ["80", "443/tcp", "53/udp"]);
    let Instruction::Env(env) = &expanded[1].value else {
        unreachable!()
    };
    assert_eq!(env.pairs[0].value.value, "/var/cache x");
    assert_eq!(expanded[1].unset[0].name, "none");
    assert_eq!(parsed.file.slice(expanded[1].unset[0].span), "$none");
    let text = format!("{:?}", expanded[2].value);
    assert!(text.contains(r#"content: "\"/var/cache\"\n""#) && text.contains(r#"content: "$D\n""#));
    assert_eq!(expanded[3].value, instructions[3].node);
    assert_eq!(expanded[4].value, instructions[4].node);
}
